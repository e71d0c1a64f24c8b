{{/* The image's reference: by digest where one is given, which a tag beside it then only describes. */}}
{{- define "keelson.image" -}}
{{- $image := .Values.image -}}
{{ $image.repository }}:{{ $image.tag | default .Chart.AppVersion }}{{ with $image.digest }}@{{ . }}{{ end }}
{{- end }}

{{/* The command of a container: Node with flags of V8, and the executable. Called with a list of flags. */}}
{{- define "keelson.command" -}}
- /opt/keelson/bin/node
{{- range . }}
- {{ . }}
{{- end }}
- /opt/keelson/keelson.mjs
{{- end }}

{{/* Of a Pod that needs no right on its Node: what the Pod Security Standard "restricted" asks for. */}}
{{- define "keelson.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "keelson.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* Wishes for replicas: another Node, and another zone. Not topologySpreadConstraints, which pass over Nodes that are in no zone. Called with (list $ "component"). */}}
{{- define "keelson.apart" -}}
podAntiAffinity:
  preferredDuringSchedulingIgnoredDuringExecution:
    {{- range $key, $weight := dict "kubernetes.io/hostname" 100 "topology.kubernetes.io/zone" 50 }}
    - weight: {{ $weight }}
      podAffinityTerm:
        topologyKey: {{ $key }}
        labelSelector:
          matchLabels:
            {{- include "keelson.selectorLabels" $ | nindent 12 }}
    {{- end }}
{{- end }}

{{/* Where a Pod runs. Called with (list $ "component" values), the values of the component. */}}
{{- define "keelson.scheduling" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- with index . 2 }}
{{- with .priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- $apart := dict }}
{{- if gt (int .replicas) 1 }}
{{- $apart = include "keelson.apart" (list $root $component) | fromYaml }}
{{- end }}
{{- with merge (deepCopy .affinity) $apart }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{- define "keelson.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- end }}
