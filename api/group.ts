/** The API group of every kind of Keelson. */
export const group = 'keelson.dev'

export const version = 'v1alpha1'

/** As objects bear it in `apiVersion`. */
export const apiVersion = `${group}/${version}` as const

/** TCP port of the agent on its host; the only port where mutual TLS is the default. */
export const agentPort = 7117
