import { defineConfig } from 'vitest/config'

const ignored = ['**/node_modules/**']

/** A suite is a file ending: what a test needs decides where it runs (CONTRIBUTING.md, "Suites"). */
export default defineConfig({
  cacheDir: '/tmp/keelson-vitest',
  test: {
    retry: 0,
    allowOnly: false,
    passWithNoTests: false,
    // The tree is read-only where tests need a capsule.
    fsModuleCachePath: '/tmp/keelson-vitest/modules',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['**/*.test.ts'],
          exclude: [
            ...ignored,
            '**/*.cluster.test.ts',
            '**/*.hosts.test.ts',
            '**/*.kubeadm.test.ts',
            '**/*.browser.test.ts',
            '**/*.machine.test.ts',
          ],
          // None takes so long by itself: a property over many runs may, on a machine that does other work.
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'cluster',
          include: ['**/*.cluster.test.ts'],
          exclude: ignored,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // Each file has an API server of its own, and waits for it more than it works.
          maxWorkers: 2,
        },
      },
      {
        test: {
          name: 'browser',
          include: ['**/*.browser.test.ts'],
          exclude: ignored,
          testTimeout: 300_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          maxConcurrency: 2,
        },
      },
      {
        test: {
          name: 'hosts',
          include: ['**/*.hosts.test.ts'],
          exclude: ignored,
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'kubeadm',
          include: ['**/*.kubeadm.test.ts'],
          exclude: ignored,
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'machine',
          include: ['**/*.machine.test.ts'],
          exclude: ignored,
          testTimeout: 300_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
