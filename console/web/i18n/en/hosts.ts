export const hosts = {
  title: 'Hosts',
} as const
