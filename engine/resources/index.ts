import type { ResourceType } from '../resource-type.ts'
import { hostname } from './hostname.ts'
import { sysctl } from './sysctl.ts'
import { systemdUnit } from './systemd-unit.ts'

const types: readonly ResourceType[] = [hostname, sysctl, systemdUnit]

/** Every resource type by its name. A new type is its file, its test and its place in the list above. */
export const resourceTypes: ReadonlyMap<string, ResourceType> = new Map(types.map((type) => [type.name, type]))
