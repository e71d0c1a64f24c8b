import { startFedServer } from '@keelson/console/fed-server'
import { answer, type Answers } from '../subprocess.ts'

/** The peer of the console's page, as a process of its own. Arguments: folder of the pages, hosts, updates a second. */
const [pages, hosts, updates] = process.argv.slice(2)

const answers = {
  start: async (): Promise<string> => {
    const { url } = await startFedServer({ web: pages!, hosts: Number(hosts), updatesPerSecond: Number(updates) })
    return url
  },
} satisfies Answers
export type FedPage = typeof answers

answer(answers)
