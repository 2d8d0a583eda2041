import { every } from "../../async/every.ts";
import { defineApp } from "../../core/app.ts";
import { createLogger } from "../../core/log.ts";
import { createKeyRoutes } from "./api/v1/keys.ts";
import { KeyCache } from "./key_cache.ts";
import { KeyManager } from "./manager.ts";
import { keyProblems } from "./problems.ts";
import { GridSecretStore } from "./store/grid_secrets.ts";
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
    const cache = new KeyCache(store, core.clock);
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
      routes: { v1: createKeyRoutes(manager) },
      tags: { Keys: "API keys and their roles, for admins" },
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
