{{/* Name of all objects: the release's, with the chart's unless it contains it. */}}
{{- define "browsergrid.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels that select the pods of a component. Takes a dict of root and component. */}}
{{- define "browsergrid.selectorLabels" -}}
app.kubernetes.io/name: browsergrid
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* Labels of an object. Takes a dict of root and component. */}}
{{- define "browsergrid.labels" -}}
{{ include "browsergrid.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{/* Reference of an image. Takes a dict of root and image. */}}
{{- define "browsergrid.image" -}}
{{- if .image.digest -}}
{{- printf "%s@%s" .image.repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" .image.repository (.image.tag | default .root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* Name of the Secret with the keys of the server. */}}
{{- define "browsergrid.secretName" -}}
{{- .Values.secret.existingSecret | default (include "browsergrid.fullname" .) -}}
{{- end -}}

{{/* URL of the server inside of the cluster. */}}
{{- define "browsergrid.internalUrl" -}}
{{- printf "http://%s.%s.svc:%v" (include "browsergrid.fullname" .) .Release.Namespace .Values.service.port -}}
{{- end -}}

{{/* URL under which clients, and the workers that the server starts, reach it; empty if the request tells it. */}}
{{- define "browsergrid.publicUrl" -}}
{{- if .Values.server.publicUrl -}}
{{- .Values.server.publicUrl -}}
{{- else if .Values.ingress.enabled -}}
{{- printf "%s://%s" (ternary "https" "http" (not (empty .Values.ingress.tlsSecret))) .Values.ingress.host -}}
{{- else if .Values.kubernetes.workerPods -}}
{{- include "browsergrid.internalUrl" . -}}
{{- end -}}
{{- end -}}

{{/* Variables of settings: text as it is, everything else as JSON. Takes the values of a server or worker. */}}
{{- define "browsergrid.settings" -}}
{{- range $name, $value := .settings }}
- name: {{ printf "BROWSERGRID_%s" (upper $name) }}
  value: {{ ternary $value (toJson $value) (kindIs "string" $value) | quote }}
{{- end }}
{{- range $name, $secret := .secretSettings }}
- name: {{ printf "BROWSERGRID_%s" (upper $name) }}
  valueFrom:
    secretKeyRef:
      name: {{ $secret.name }}
      key: {{ $secret.key }}
{{- end }}
{{- end -}}

{{/* Security context of pods. */}}
{{- define "browsergrid.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* Security context of containers. */}}
{{- define "browsergrid.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
privileged: false
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Placement of pods, of the values of a server or worker. */}}
{{- define "browsergrid.placement" -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .topologySpreadConstraints }}
topologySpreadConstraints:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{/* Values of a worker over the defaults, as YAML. Takes a dict of root and worker. */}}
{{- define "browsergrid.worker" -}}
{{- $worker := mergeOverwrite (deepCopy .root.Values.workerDefaults) .worker -}}
{{- $name := printf "%s-worker-%s" (include "browsergrid.fullname" .root) (.worker.name | default .worker.pool) -}}
{{- toYaml (merge (dict "fullname" $name "secretName" ($worker.existingSecret | default $name)) $worker) -}}
{{- end -}}
