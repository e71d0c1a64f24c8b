import { expect, test } from 'vitest'
import { documents } from './documents.ts'
import { deadLinks } from './links.ts'

test.each(documents())('the links of %s lead to files and headings that are there', (file) => {
  expect(deadLinks(file)).toEqual([])
})
