import { defineKind } from '../kinds.ts'
import type { KubernetesObject } from '../object.ts'

export interface ConfigMap extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>
}

export interface Secret extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>
}

export interface Widget extends KubernetesObject {
  readonly spec: { readonly size: number; readonly parts?: readonly string[] }
  readonly status?: { readonly phase: string }
}

export const ConfigMap = defineKind<ConfigMap>({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
})

export const Secret = defineKind<Secret>({ apiVersion: 'v1', kind: 'Secret', plural: 'secrets', namespaced: true })

/** A custom kind of the tests. */
export const Widget = defineKind<Widget>({
  apiVersion: 'test.keelson.dev/v1',
  kind: 'Widget',
  plural: 'widgets',
  namespaced: true,
})

export const CustomResourceDefinition = defineKind<
  KubernetesObject & {
    readonly spec: unknown
    readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
  }
>({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
})

export const widgetDefinition = {
  metadata: { name: 'widgets.test.keelson.dev' },
  spec: {
    group: 'test.keelson.dev',
    scope: 'Namespaced',
    names: { kind: 'Widget', plural: 'widgets', singular: 'widget' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                required: ['size'],
                properties: {
                  size: { type: 'integer', minimum: 1, maximum: 10 },
                  parts: { type: 'array', maxItems: 8, items: { type: 'string', maxLength: 8 } },
                },
              },
              status: { type: 'object', properties: { phase: { type: 'string' } } },
            },
          },
        },
      },
    ],
  },
}
