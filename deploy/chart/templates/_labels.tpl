{{/* Labels that no upgrade changes. Called with (list $ "component"). */}}
{{- define "keelson.stableLabels" -}}
{{- $root := index . 0 -}}
{{ include "keelson.selectorLabels" . }}
app.kubernetes.io/part-of: keelson
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
{{- end }}

{{/* The standard labels. Called with (list $ "component"). */}}
{{- define "keelson.labels" -}}
{{- $root := index . 0 -}}
{{ include "keelson.stableLabels" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* By which Pods are selected; selectors cannot be changed, so nothing of a version is in them. Called with (list $ "component"). */}}
{{- define "keelson.selectorLabels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: keelson
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}
