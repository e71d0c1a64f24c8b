import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'
import { documentText, translations, tree } from './documents.ts'
import { anchorsOf } from './links.ts'
import { outline, withoutLabels } from './page-outline.ts'

const pages = translations()

/** The page as a link's target, without its language; an anchor as the number of its heading. */
function linkTarget(file: string, target: string): string {
  if (/^https?:/.test(target)) return target
  const [path = '', anchor] = target.split('#')
  const page = path === '' ? file : normalize(join(dirname(file), path))
  const original = page.replace(/\.zh-CN\.md$/, '.md')
  const translated = original.replace(/\.md$/, '.zh-CN.md')
  const inChinese = file.endsWith('.zh-CN.md') && page.endsWith('.md') && existsSync(join(tree, translated))
  if (inChinese && page !== translated) return `${target}: in a Chinese page, the link goes to ${translated}`
  if (anchor === undefined) return original
  return `${original}, heading ${anchorsOf(documentText(page)).indexOf(decodeURIComponent(anchor))}`
}

const outlineOf = (file: string) => outline(documentText(file), (target) => linkTarget(file, target))

test('there are pages in two languages', () => {
  expect(pages.map(({ original }) => original)).toContain('docs/console.md')
})

test.each(pages)('$translation says what $original says', ({ original, translation }) => {
  expect(outlineOf(translation)).toEqual(outlineOf(original))
})

test('both languages of a page name each other before the first section, and README.md names both', () => {
  const opening = (file: string) => documentText(file).split(/\n## /)[0] ?? ''
  const beside = (file: string) => file.replace('docs/', '')
  const missing = pages.flatMap(({ original, translation }) => [
    ...(opening(original).includes(`[中文](${beside(translation)})`) ? [] : [original]),
    ...(opening(translation).includes(`[English](${beside(original)})`) ? [] : [translation]),
    ...(documentText('README.md').includes(`[${original}](${original}) ([中文](${translation}))`) ? [] : ['README.md']),
  ])
  expect(missing).toEqual([])
})

test('a word, a command, a code, a row, a paragraph or a link in one language alone is seen', () => {
  const page = (...lines: readonly string[]) =>
    outline(['# A', 'It takes 30 s: `one` [b](b.md)', '', '- item', '', ...lines].join('\n'), (target) => target)
  const table = ['| a | b |', '| --- | --- |', '| `Code` | x |']
  const block = ['```sh', 'ls', '```']
  const whole = page(...table, ...block)
  expect(whole).toEqual(page(...table, ...block))
  const others = [
    page(...table, '```sh', 'ls -l', '```'),
    page(...table, '```sh cluster', 'ls', '```'),
    page(...table.with(2, '| `Other` | x |'), ...block),
    page(...table, '| `Code2` | x |', ...block),
    page(...table, ...block, 'More.'),
    page(...table, ...block, '## More'),
    page(...table.with(2, '| `Code` | [x](x.md) |'), ...block),
    page(...table.with(2, '| `Code` | 31 s |'), ...block),
  ]
  for (const other of others) expect(other).not.toEqual(whole)
})

test('of a picture, labels may differ', () => {
  const english = ['flowchart LR', 'a([x (y)]) -- does --> b[c]', 'A->>B: says', 'actor P as person', 'alt all'].join(
    '\n',
  )
  const chinese = ['flowchart LR', 'a([甲]) -- 做 --> b[乙]', 'A->>B: 说', 'actor P as 人', 'alt 全部'].join('\n')
  expect(withoutLabels(chinese)).toBe(withoutLabels(english))
  expect(withoutLabels(chinese.replace('A->>B', 'B->>A'))).not.toBe(withoutLabels(english))
})
