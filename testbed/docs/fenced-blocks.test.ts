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
  ].join('\n')
  expect(fencedBlocks('x.md', text)).toEqual([
    { place: 'x.md:2', language: 'sh', text: 'one\ntwo', notRun: undefined },
    { place: 'x.md:6', language: 'yaml', text: '```', notRun: undefined },
    { place: 'x.md:9', language: 'mermaid', text: '%% # not run: a picture', notRun: 'a picture' },
  ])
})

test('a block that is not closed is an error', () => {
  expect(() => fencedBlocks('x.md', '```sh\nrm\n')).toThrow('x.md:1')
})
