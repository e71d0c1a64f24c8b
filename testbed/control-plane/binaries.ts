import { accessSync, constants } from 'node:fs'
import { join, resolve } from 'node:path'
import { programSets } from '../programs/modules.ts'
import { programs } from '../programs/programs.ts'

/** The folder that holds etcd, kube-apiserver, kube-controller-manager and kubectl: `KEELSON_TESTBED_BIN` if it has all four, else {@link programs}. */
export async function controlPlaneBinaries(): Promise<string> {
  const given = process.env['KEELSON_TESTBED_BIN']
  return given === undefined || given === '' ? programs('control-plane') : checkBinaries(resolve(given))
}

/** Gives the folder back if it has all programs. */
function checkBinaries(folder: string): string {
  const names = Object.keys(programSets['control-plane'].programs)
  const missing = names.filter((name) => !isProgram(join(folder, name)))
  if (missing.length === 0) return folder
  throw new Error(`KEELSON_TESTBED_BIN=${folder} lacks ${missing.join(', ')}: put them there or unset it`)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
