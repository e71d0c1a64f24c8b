import { parseArgs } from 'node:util'
import { layOutImage } from './lay-out.ts'

/** `node deploy/image/build.ts FOLDER` lays out the image's own files in a folder that is empty or not there yet; the Dockerfile runs it. */
const { positionals } = parseArgs({ allowPositionals: true })
const [directory] = positionals
if (directory === undefined || positionals.length > 1) throw new Error('usage: node deploy/image/build.ts FOLDER')
await layOutImage(directory)
