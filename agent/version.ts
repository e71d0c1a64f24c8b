import manifest from './package.json' with { type: 'json' }

/** Of the agent: semantic versioning. */
export const version: string = manifest.version
