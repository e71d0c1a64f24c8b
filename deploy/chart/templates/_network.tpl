{{/* Out to the API server, whose address no policy can know: on its ports, anywhere. */}}
{{- define "keelson.toApiServer" -}}
- ports:
    {{- range .Values.networkPolicy.apiServerPorts }}
    - port: {{ . }}
    {{- end }}
{{- end }}
