/** A key of the form that the chart accepts. */
export const ADMIN_KEY = "planted-admin-key-0123456789abcdef";

const ENCRYPTION_KEY = "0123456789abcdef".repeat(4);

/** Values of the releases that are rendered and checked. */
export const RELEASES = {
  "only a key": { secret: { adminKey: ADMIN_KEY } },
  "three servers over libSQL": {
    secret: {
      adminKey: ADMIN_KEY,
      encryptionKey: ENCRYPTION_KEY,
      databaseToken: "planted-token",
    },
    server: {
      replicas: 3,
      database: { url: "libsql://grid.example" },
      settings: {
        trusted_proxies: ["10.0.0.0/8"],
        session_timeout_minutes: 1_000_000,
        webhook_allow_http: true,
        middleware: [{ name: "cors", enabled: false }],
      },
      secretSettings: { otlp_headers: { name: "otlp", key: "headers" } },
      topologySpreadConstraints: [{
        maxSkew: 1,
        topologyKey: "kubernetes.io/hostname",
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: {
          matchLabels: { "app.kubernetes.io/component": "server" },
        },
      }],
    },
    workers: [
      { pool: "browsers", key: "planted-worker-key", replicas: 2 },
      {
        pool: "browsers",
        name: "arm",
        existingSecret: "workers",
        nodeSelector: { "kubernetes.io/arch": "arm64" },
        tolerations: [{ key: "arm", operator: "Exists" }],
        settings: { log_level: "debug" },
      },
    ],
  },
  "ingress, monitor and autoscaling": {
    image: { repository: "registry.example/browsergrid", tag: "1.2.3" },
    imagePullSecrets: [{ name: "registry" }],
    secret: { adminKey: ADMIN_KEY },
    ingress: {
      enabled: true,
      className: "nginx",
      host: "grid.example",
      tlsSecret: "grid-tls",
    },
    serviceMonitor: {
      enabled: true,
      existingSecret: "metrics",
      labels: { release: "prometheus" },
    },
    networkPolicy: {
      clients: [{
        namespaceSelector: {
          matchLabels: { "kubernetes.io/metadata.name": "ingress-nginx" },
        },
      }],
    },
    kubernetes: { workerPods: true },
    workers: [{
      pool: "browsers",
      existingSecret: "workers",
      drainTimeoutSeconds: 600,
      autoscaling: { enabled: true, existingSecret: "keda", minReplicas: 0 },
    }],
  },
  "a Secret and a claim of the operator's": {
    fullnameOverride: "browsers",
    secret: { existingSecret: "keys" },
    server: {
      publicUrl: "https://grid.example",
      persistence: { existingClaim: "data" },
      affinity: { podAntiAffinity: {} },
      priorityClassName: "high",
    },
    networkPolicy: { enabled: false },
    podDisruptionBudget: { enabled: false },
    kubernetes: { sessionPods: false },
    serviceAccount: { annotations: { "example.com/team": "qa" } },
    service: { type: "LoadBalancer", port: 80 },
  },
} as const;
