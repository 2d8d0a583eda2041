import { every } from "../../async/every.ts";
import { defineApp } from "../../core/app.ts";
import { createLogger } from "../../core/log.ts";
import { createRouter } from "../../http/router.ts";
import { KeyCache } from "./key_cache.ts";
import { KeyManager } from "./manager.ts";
import { keyProblems } from "./problems.ts";
import { GridSecretStore } from "./store/grid_secrets.ts";
import { isCurrentKey, SignIns } from "./sign_ins.ts";
import { KeyStore } from "./store/keys.ts";

const log = createLogger("apps", "keys");

/** Time between two refreshes of cached keys: two fit into the time that a cached key is valid. */
const REFRESH_INTERVAL_MS = 4_000;

/** API keys: authentication and roles. */
export const keysApp = defineApp<KeyManager>({
  name: "keys",
  verboseName: "Keys",
  problems: keyProblems,
  setup(core) {
    const store = new KeyStore(core.db);
    const cache = new KeyCache(
      store,
      core.clock,
      (row) => isCurrentKey(core, row),
    );
    const signIns = new SignIns(core, cache);
    const gridSecrets = new GridSecretStore(core.db, core.secrets);
    const readSecret = () => gridSecrets.readConnectTokenSecret();
    core.secrets.checkWith(readSecret);
    core.auth.setKeySource({
      find: (key) => cache.find(key),
      hasAdmin: () => cache.hasAdmin(),
      secret: readSecret,
    });
    const manager = new KeyManager(core, store, cache);
    return {
      manager,
      routesOnDemand: {
        paths: ["/v1/keys", "/v1/auth"],
        async load() {
          const [{ createKeyRoutes }, { createSignInRoutes }] = await Promise
            .all([import("./api/v1/keys.ts"), import("./api/v1/sign_in.ts")]);
          return {
            routes: {
              v1: createRouter()
                .route("/", createKeyRoutes(manager))
                .route("/", createSignInRoutes(signIns)),
            },
          };
        },
      },
      tags: {
        Keys: "API keys and their roles, for admins",
        "Sign-in": "Sign-ins of people at pages of this server",
      },
      async protectSecrets() {
        const count = await gridSecrets.encryptAll();
        await readSecret();
        return count;
      },
      ready: () =>
        every(() => Promise.all([readSecret(), cache.refresh()]), {
          clock: core.clock,
          periodMs: REFRESH_INTERVAL_MS,
          jitter: 0.1,
          onFailure: (error) =>
            log.warn("Refreshing the cached keys failed: {error}", { error }),
        }),
    };
  },
});
