import type { z } from 'zod'
import { group, version } from '../group.ts'
import { NotStructuralError, structuralSchema, type StructuralSchema } from './structural-schema.ts'

/** A column of `kubectl get`. */
export type PrinterColumn = {
  readonly name: string
  readonly type: 'string' | 'integer' | 'date'
  readonly description: string
  readonly jsonPath: string
  /** 1: only with `-o wide`. */
  readonly priority?: 1
}

export type KindDefinition = {
  readonly kind: string
  readonly plural: string
  readonly shortNames?: readonly string[]
  readonly scope: 'Cluster' | 'Namespaced'
  /** The whole object: described, with `status` and maybe `spec`; the rest is the same for every kind. */
  readonly schema: z.ZodObject
  readonly columns: readonly PrinterColumn[]
}

export type CustomResourceDefinition = {
  readonly apiVersion: 'apiextensions.k8s.io/v1'
  readonly kind: 'CustomResourceDefinition'
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly group: string
    readonly scope: 'Cluster' | 'Namespaced'
    readonly names: Readonly<Record<string, unknown>>
    readonly versions: readonly [
      {
        readonly name: string
        readonly served: true
        readonly storage: true
        readonly subresources: { readonly status: Readonly<Record<string, never>> }
        readonly additionalPrinterColumns: readonly PrinterColumn[]
        readonly schema: { readonly openAPIV3Schema: StructuralSchema }
      },
    ]
  }
}

/** @throws NotStructuralError when the schema says what the API server would not be told */
export function customResourceDefinition(definition: KindDefinition): CustomResourceDefinition {
  const { kind, plural, shortNames, scope, columns } = definition
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        ...(shortNames && { shortNames }),
        categories: ['keelson'],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          schema: { openAPIV3Schema: rootSchema(definition) },
        },
      ],
    },
  }
}

/** apiVersion, kind and metadata belong to the API server, which has rules of its own for them. */
function rootSchema({ kind, schema }: KindDefinition): StructuralSchema {
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...own } = schema.shape
  const { properties, required } = structuralSchema(schema.pick(mask(own)), '')
  const { description } = schema
  if (description === undefined) throw new NotStructuralError(kind, 'a kind needs describe()')
  return {
    type: 'object',
    description,
    properties: {
      apiVersion: { type: 'string', description: `API group and version of this object: ${group}/${version}.` },
      kind: { type: 'string', description: `Kind of this object: ${kind}.` },
      metadata: { type: 'object' },
      ...properties,
    },
    ...(required && { required }),
  }
}

function mask(shape: Readonly<Record<string, unknown>>): Record<string, true> {
  return Object.fromEntries(Object.keys(shape).map((key) => [key, true]))
}
