#!/usr/bin/env node
import { run } from './run.ts'

const line = (stream: NodeJS.WriteStream) => (text: string) => void stream.write(`${text}\n`)
process.exitCode = await run(process.argv.slice(2), { out: line(process.stdout), err: line(process.stderr) })
