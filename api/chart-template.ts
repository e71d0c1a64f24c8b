/** Objects as a template of the Helm chart, and what is particular about these. */
export type ChartTemplate = {
  /** YAML, one document an object. */
  readonly yaml: string
  /** The value of the chart that must be true for them to be rendered. */
  readonly condition?: string
  readonly component: string
  /** True: an upgrade of the chart changes no label of theirs, since a change of any kind means something. */
  readonly stableLabels?: boolean
  readonly annotations?: Readonly<Record<string, string>>
}

/** The text of the template: the YAML with the chart's labels and further annotations, and nothing in it that Helm would take for an action. */
export function chartTemplate({ yaml, condition, component, stableLabels, annotations }: ChartTemplate): string {
  const more = Object.entries(annotations ?? {}).map(([name, value]) => `    ${name}: ${value}\n`)
  const labels = `  labels:\n    {{- include "keelson.${stableLabels ? 'stableLabels' : 'labels'}" (list $ "${component}") | nindent 4 }}\n`
  const body = yaml
    .replaceAll('{{', '{{ "{{" }}')
    .replaceAll(
      /^(metadata:\n {2}name: .*\n)( {2}annotations:\n)?/gm,
      (_, name: string, present: string | undefined) => {
        const annotated = present !== undefined || more.length > 0 ? `  annotations:\n${more.join('')}` : ''
        return name + labels + annotated
      },
    )
  return condition === undefined ? body : `{{- if .Values.${condition} }}\n${body}{{- end }}\n`
}
