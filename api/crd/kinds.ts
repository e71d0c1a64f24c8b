import { generatedYaml } from '../generated-yaml.ts'
import { HostRequest } from '../host-request.ts'
import { Host } from '../host.ts'
import { customResourceDefinition, type KindDefinition, type PrinterColumn } from './custom-resource-definition.ts'

const age: PrinterColumn = {
  name: 'Age',
  type: 'date',
  description: 'Time since the object was made.',
  jsonPath: '.metadata.creationTimestamp',
}

function condition(type: string, field: 'status' | 'reason'): string {
  return `.status.conditions[?(@.type=="${type}")].${field}`
}

const hosts: KindDefinition = {
  kind: 'Host',
  plural: 'hosts',
  scope: 'Cluster',
  schema: Host,
  columns: [
    {
      name: 'Ready',
      type: 'string',
      description: 'Whether the host is online and its agent answers.',
      jsonPath: condition('Ready', 'status'),
    },
    {
      name: 'Online',
      type: 'string',
      description: 'Whether the Node of the host is Ready.',
      jsonPath: condition('Online', 'status'),
    },
    { name: 'Role', type: 'string', description: 'ControlPlane or Worker.', jsonPath: '.status.role' },
    {
      name: 'Address',
      type: 'string',
      description: 'First internal IP address.',
      jsonPath: '.status.addresses[?(@.type=="InternalIP")].address',
    },
    {
      name: 'Kernel',
      type: 'string',
      description: 'Release of the running kernel.',
      jsonPath: '.status.facts.kernelVersion',
    },
    age,
    { name: 'OS', type: 'string', description: 'Operating system.', jsonPath: '.status.facts.os.name', priority: 1 },
    {
      name: 'Agent',
      type: 'string',
      description: 'Version of the agent.',
      jsonPath: '.status.facts.agentVersion',
      priority: 1,
    },
  ],
}

const hostRequests: KindDefinition = {
  kind: 'HostRequest',
  plural: 'hostrequests',
  shortNames: ['hreq'],
  scope: 'Namespaced',
  schema: HostRequest,
  columns: [
    {
      name: 'State',
      type: 'string',
      description: 'PENDING, RUNNING, PAUSED, SUCCESS or ERROR.',
      jsonPath: '.status.state',
    },
    {
      name: 'Progress',
      type: 'string',
      description: 'Hosts that have answered with success, of those that the request is sent to.',
      jsonPath: '.status.progress',
    },
    { name: 'Failed', type: 'integer', description: 'Hosts that failed.', jsonPath: '.status.counts.failed' },
    age,
    {
      name: 'Skipped',
      type: 'integer',
      description: 'Hosts that the request was not sent to.',
      jsonPath: '.status.counts.skipped',
      priority: 1,
    },
    {
      name: 'Unknown',
      type: 'integer',
      description: 'Hosts that may have got the request, and whose answer is not known.',
      jsonPath: '.status.counts.unknown',
      priority: 1,
    },
    {
      name: 'Reason',
      type: 'string',
      description: 'Why the request is ready or not.',
      jsonPath: condition('Ready', 'reason'),
      priority: 1,
    },
    { name: 'Message', type: 'string', description: 'What happened.', jsonPath: '.status.msg', priority: 1 },
  ],
}

/**
 * The CRDs of every kind: name of the file → YAML.
 *
 * @throws NotStructuralError when a schema says what the API server would not be told
 */
export function customResourceDefinitions(): Record<string, string> {
  return Object.fromEntries(
    [hosts, hostRequests]
      .map(customResourceDefinition)
      .map((definition) => [`${definition.metadata.name}.yaml`, generatedYaml(definition)]),
  )
}
