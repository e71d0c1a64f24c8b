export type FencedBlock = {
  /** Where it stands: `README.md:30`. */
  readonly place: string
  /** First word behind the fence. */
  readonly language: string
  /** Second word: where it is run. `cluster`: on a cluster made by kubeadm, else beside the demo. */
  readonly world: 'demo' | 'cluster'
  readonly text: string
  /** Why it is not run, if it says so. */
  readonly notRun: string | undefined
}

/** The fenced code blocks of a Markdown text (CommonMark, backtick fences), in order. */
export function fencedBlocks(file: string, markdown: string): FencedBlock[] {
  const blocks: FencedBlock[] = []
  let open: { line: number; fence: string; language: string; world: string; text: string[] } | undefined
  for (const [index, line] of markdown.split('\n').entries()) {
    const [, fence = '', language = '', world = ''] = /^ {0,3}(`{3,}) *(\S*) *(\S*)/.exec(line) ?? []
    if (open === undefined) {
      if (fence !== '') open = { line: index + 1, fence, language, world, text: [] }
    } else if (fence.length >= open.fence.length && language === '') {
      const text = open.text.join('\n')
      blocks.push({
        place: `${file}:${open.line}`,
        language: open.language,
        world: open.world === 'cluster' ? 'cluster' : 'demo',
        text,
        notRun: /# not run: (.+)$/m.exec(text)?.[1],
      })
      open = undefined
    } else open.text.push(line)
  }
  if (open !== undefined) throw new Error(`${file}:${open.line}: the block is not closed`)
  return blocks
}
