import { expect, test } from 'vitest'
import { fencedBlocks } from './fenced-blocks.ts'

test('finds blocks with place, language and reason', () => {
  const text = [
    'a',
    '```sh',
    'one',
    'two',
    '```',
    '````yaml',
    '```',
    '````',
    '```mermaid',
    '%% # not run: a picture',
    '```',
    '```sh cluster',
    'three',
    '```',
  ].join('\n')
  expect(fencedBlocks('x.md', text)).toEqual([
    { place: 'x.md:2', language: 'sh', world: 'demo', text: 'one\ntwo', notRun: undefined },
    { place: 'x.md:6', language: 'yaml', world: 'demo', text: '```', notRun: undefined },
    { place: 'x.md:9', language: 'mermaid', world: 'demo', text: '%% # not run: a picture', notRun: 'a picture' },
    { place: 'x.md:12', language: 'sh', world: 'cluster', text: 'three', notRun: undefined },
  ])
})

test('a block that is not closed is an error', () => {
  expect(() => fencedBlocks('x.md', '```sh\nrm\n')).toThrow('x.md:1')
})
