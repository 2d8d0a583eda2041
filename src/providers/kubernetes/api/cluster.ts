import type { TokenSource } from "./token.ts";

/** Address and credentials of a cluster. */
export interface Cluster {
  readonly server: URL;
  readonly tls: {
    readonly ca?: string | undefined;
    readonly cert?: string | undefined;
    readonly key?: string | undefined;
    readonly servername?: string | undefined;
    readonly rejectUnauthorized?: boolean;
  };
  /** Source of the bearer token; absent if there is none. */
  readonly token?: TokenSource | undefined;
  readonly namespace: string;
  /** Origin of these values, for messages: `context "dev" of /home/me/.kube/config`. */
  readonly source: string;
  /** True for the service account of the pod in which this process runs. */
  readonly isInCluster: boolean;
}
