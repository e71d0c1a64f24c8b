/**
 * Who may import whom. One table: the lint rules are made from it and the fixtures that prove them too.
 * A package that does not exist yet has its row already, so that it is born with its limits.
 */
const imports = {
  api: [],
  kube: [],
  engine: ['api'],
  compose: ['api'],
  agent: ['api', 'engine'],
  install: ['api', 'kube'],
  operator: ['api', 'kube', 'compose'],
  console: ['api', 'kube'],
  cli: ['api', 'kube', 'engine', 'compose', 'agent', 'install', 'operator', 'console'],
  deploy: ['api', 'console', 'cli'],
  testbed: ['api', 'kube', 'engine', 'compose', 'agent', 'install', 'operator', 'console', 'cli', 'deploy'],
} as const satisfies Record<string, readonly string[]>

export type Package = keyof typeof imports

export const packages = Object.keys(imports) as readonly Package[]

export function mayImport(from: Package, to: Package): boolean {
  return from === to || (imports[from] as readonly string[]).includes(to)
}

export function forbiddenFor(from: Package): readonly Package[] {
  return packages.filter((to) => !mayImport(from, to))
}
