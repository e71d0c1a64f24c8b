import type { KnipConfig } from 'knip'

const configuration: KnipConfig = {
  workspaces: {
    '.': { entry: ['toolchain/check.ts'], project: ['*.ts', 'toolchain/*.ts'] },
    // Started as a program of its own.
    kube: { entry: ['testing/*.fixture.ts'] },
    // Each is started as a program of its own.
    deploy: { entry: ['bundle.ts', 'generate.ts', 'image/build.ts'] },
    // What the browser starts with, and what builds it.
    console: {
      entry: [
        'web/main.tsx',
        'web/first-paint.ts',
        // Started as a program of its own.
        'server/model/writer.fixture.ts',
      ],
      // Imported by a stylesheet.
      ignoreDependencies: ['@tabler/core'],
    },
    testbed: {
      // Each is started as a program of its own.
      entry: [
        'bench/{start,inside,fleet,loop}.ts',
        'demo/{start,inside,shell,enter}.ts',
        'capsule/{inside,sweeper}.ts',
        'hosts/install-packages.ts',
        'cluster/make-store.ts',
        'kubelet/main.ts',
        'test/{run,reporter}.ts',
        '**/*.fixture.ts',
      ],
    },
  },
  // Programs of the machine, from testbed/packages.txt.
  ignoreBinaries: ['nsenter', 'unshare', 'flock'],
}

export default configuration
