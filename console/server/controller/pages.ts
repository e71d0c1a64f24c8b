import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import staticFiles from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import { ProblemError } from './problem-error.ts'

/** Addresses that a person may open directly; the pages know what to show there. */
const pages = [
  '/',
  '/hosts',
  '/hosts/:name',
  '/requests',
  '/requests/new',
  '/requests/:namespace/:name',
  '/access',
  '/access/:name',
  '/audit',
  '/profile',
  '/sign-in',
  '/bootstrap',
]

/** In index.html wherever a nonce belongs: Vite's `html.cspNonce`. */
const noncePlaceholder = '__CSP_NONCE__'

/** Serves the built pages: index.html for every page, and the files beside it, whose names change with their content. */
export async function servePages(app: FastifyInstance, folder: string): Promise<void> {
  const index = join(folder, 'index.html')
  if (!existsSync(index)) {
    app.log.warn({ folder }, 'the pages are not built: only the API is served')
    for (const url of pages)
      app.get(url, async () => {
        const message = `the pages are not built: there is no ${index}; run node console/web/build.ts`
        throw new ProblemError(503, { code: 'PagesMissing', message })
      })
    return
  }
  const html = readFileSync(index, 'utf8')
  await app.register(async (scope) => {
    for (const url of pages)
      scope.get(url, async (request, reply) =>
        reply
          .type('text/html; charset=utf-8')
          .header('cache-control', 'no-store')
          .send(html.replaceAll(noncePlaceholder, request.cspNonce)),
      )
    await scope.register(staticFiles, {
      root: folder,
      // Only what was there at the start: no path is looked up on the disk.
      wildcard: false,
      index: false,
      // The build has put .br and .gz beside them. Nothing is packed here: packing takes megabytes for each file under way.
      preCompressed: true,
      dotfiles: 'ignore',
      cacheControl: false,
      setHeaders: (reply, path) => {
        const isHashed = path.startsWith(join(folder, 'assets'))
        reply.header('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache')
      },
      globIgnore: ['index.html', '**/*.{br,gz}'],
    })
  })
}
