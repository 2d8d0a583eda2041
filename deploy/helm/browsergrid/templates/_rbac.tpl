{{/* Rights of a worker that starts a pod for each session. */}}
{{- define "browsergrid.workerRules" -}}
- apiGroups: [""]
  resources: [pods]
  verbs: [create, get, list, watch, delete]
- apiGroups: [""]
  resources: [pods/log]
  verbs: [get]
# Only for workers outside the cluster (reach: port_forward).
- apiGroups: [""]
  resources: [pods/portforward]
  verbs: [get, create]
# Secrets are created and never read. They are deleted with the pods that own them.
- apiGroups: [""]
  resources: [secrets]
  verbs: [create]
# Reasons of pods that do not start.
- apiGroups: [""]
  resources: [events]
  verbs: [list]
# CPU and memory of sessions, if the cluster has a metrics server.
- apiGroups: [metrics.k8s.io]
  resources: [pods]
  verbs: [get]
{{- end -}}

{{/* Rights of a server that starts worker pods. */}}
{{- define "browsergrid.serverRules" -}}
- apiGroups: [""]
  resources: [pods]
  verbs: [create, get, list, delete]
- apiGroups: [""]
  resources: [pods/log]
  verbs: [get]
- apiGroups: [""]
  resources: [secrets]
  verbs: [create]
{{- end -}}
