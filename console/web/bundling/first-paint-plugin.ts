import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { transformWithOxc, type Plugin } from 'vite'

/**
 * Builds first-paint.ts into a classic script of its own in the head of index.html. A module, or anything that is deferred, would run after the browser
 * has painted the page in the wrong colours, and an inline script is what the page's Content-Security-Policy refuses.
 */
export function firstPaint(): Plugin {
  const source = join(resolve(import.meta.dirname, '..'), 'first-paint.ts')
  let file = ''
  return {
    name: 'keelson:first-paint',
    apply: 'build',
    async buildStart() {
      const { code } = await transformWithOxc(await readFile(source, 'utf8'), source, { sourcemap: false })
      const script = `(() => {\n${code.replaceAll(/^export .*$/gm, '')}})()\n`
      file = `assets/first-paint-${createHash('sha256').update(script).digest('hex').slice(0, 8)}.js`
      this.emitFile({ type: 'asset', fileName: file, source: script })
    },
    transformIndexHtml: {
      order: 'post',
      handler: () => [{ tag: 'script', attrs: { src: `/${file}` }, injectTo: 'head-prepend' }],
    },
  }
}
