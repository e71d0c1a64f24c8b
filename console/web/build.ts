import { join, resolve } from 'node:path'
import react from '@vitejs/plugin-react'
import { build, type InlineConfig } from 'vite'
import { compressFiles } from './bundling/compress-files.ts'
import { firstPaint } from './bundling/first-paint-plugin.ts'
import { trimStyles } from './bundling/trim-styles.ts'
import { usedWords } from './bundling/used-words.ts'

const root = import.meta.dirname

/** Modules that do nothing when they are loaded: what a page does not import from them stays out of its bundle, the CRDs and their YAML above all. */
const pure = /\/(api|console\/protocol)\/[^/]+[.]ts$/

/** Builds the pages into `outDir`: index.html and assets/, whose names bear a digest of what is in them. */
export async function buildWeb(outDir: string = resolve(root, 'dist')): Promise<void> {
  const configuration: InlineConfig = {
    root,
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    plugins: [react(), firstPaint()],
    css: { postcss: { plugins: [trimStyles(await usedWords(root))] } },
    build: {
      outDir,
      emptyOutDir: true,
      target: ['chrome123', 'firefox128', 'safari18'],
      cssMinify: 'lightningcss',
      // A data: URL for scripts or styles is what the page's Content-Security-Policy refuses.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      rolldownOptions: {
        treeshake: { moduleSideEffects: (id) => !pure.test(id) },
      },
    },
  }
  await build(configuration)
  await compressFiles(join(outDir, 'assets'))
}

if (import.meta.main) await buildWeb()
