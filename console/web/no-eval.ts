import { config } from 'zod'

// zod tries `new Function` once to learn whether it may: the Content-Security-Policy would report each try. Imported first, before any schema parses.
config({ jitless: true })
