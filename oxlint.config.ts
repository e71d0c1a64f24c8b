import { defineConfig, type OxlintOverride } from 'oxlint'
import { forbiddenFor, packages, type Package } from './boundaries.ts'

function boundary(from: Package, files: string[], forbidden: readonly Package[]): OxlintOverride {
  const others = packages.filter((to) => to !== from).join('|')
  return {
    files,
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: `^(\\.\\./)+(${others})(/|$)`,
              message: 'Packages import each other by name (@keelson/…), never by path.',
            },
            ...forbidden.map((to) => ({
              group: [`@keelson/${to}`, `@keelson/${to}/*`],
              message: `${from}/ may not import ${to}/: see boundaries.ts.`,
            })),
          ],
        },
      ],
    },
  }
}

export default defineConfig({
  plugins: ['typescript', 'import', 'unicorn', 'oxc', 'promise', 'node', 'vitest'],
  options: { typeAware: true, reportUnusedDisableDirectives: 'error' },
  categories: { correctness: 'error', suspicious: 'error' },
  ignorePatterns: ['node_modules', '.demo', '.bench', '.check', 'console/web/dist'],
  rules: {
    'import/no-cycle': 'error',
    'import/no-default-export': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/await-thenable': 'error',
    'typescript/consistent-type-imports': 'error',
    'typescript/switch-exhaustiveness-check': 'error',
    'typescript/return-await': 'error',
    'no-console': 'error',
    'typescript/no-unsafe-type-assertion': 'off',
    'unicorn/require-module-specifiers': 'off',
    'unicorn/consistent-function-scoping': 'off',
    'unicorn/no-useless-spread': 'off',
    'promise/always-return': 'off',
    // The compiler's noImplicitReturns knows exhaustive switches, this rule does not.
    'typescript/consistent-return': 'off',
    'import/no-unassigned-import': ['error', { allow: ['reflect-metadata', '**/*.css', './theme.ts'] }],
    'no-var': 'error',
    'prefer-const': 'error',
    eqeqeq: 'error',
    'unicorn/prefer-node-protocol': 'error',
    'no-restricted-imports': ['error', { patterns: [] }],
  },
  overrides: [
    ...packages
      .filter((name) => name !== 'testbed')
      .flatMap((name) => [
        boundary(name, [`${name}/**/*.ts`, `${name}/**/*.tsx`], forbiddenFor(name)),
        // A test, and what it stands on, may also use the test world.
        boundary(
          name,
          [`${name}/**/*.test.ts`, `${name}/**/*.fixture.ts`],
          forbiddenFor(name).filter((to) => to !== 'testbed'),
        ),
      ]),
    boundary('testbed', ['testbed/**/*.ts'], []),
    { files: ['*.config.ts', 'testbed/test/reporter.ts'], rules: { 'import/no-default-export': 'off' } },
    { files: ['testbed/**/*.ts'], rules: { 'no-console': 'off' } },
    // Expects that a page is accessible and that the browser complains of nothing.
    {
      files: ['testbed/e2e/console/*.test.ts'],
      rules: { 'vitest/expect-expect': ['error', { assertFunctionNames: ['expect', 'isWell'] }] },
    },
    {
      files: ['console/web/**/*.tsx'],
      plugins: ['react', 'jsx-a11y'],
      rules: {
        'react/react-in-jsx-scope': 'off',
        // React's compiler is not used: what it would not take is no fault.
        'react/incompatible-library': 'off',
        'react/refs': 'off',
        // A grid of which only a part exists is no <table>; what scrolls must take the focus; keys are taken by the grid around a row.
        'jsx-a11y/prefer-tag-over-role': 'off',
        'jsx-a11y/no-noninteractive-tabindex': 'off',
        'jsx-a11y/click-events-have-key-events': 'off',
      },
    },
  ],
})
