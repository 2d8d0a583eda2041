import { defineApp } from "../../core/app.ts";
import { logOf } from "../../core/log.ts";
import { every } from "../../async/every.ts";
import { createKeyRoutes } from "./api/v1/keys.ts";
import { gridSecret } from "./grid_secret.ts";
import { KeyCache } from "./key_cache.ts";
import { createKeyManager, type KeyManager } from "./manager.ts";
import { createKeyStore } from "./store/keys.ts";
import { protectGridSecrets } from "./store/protect.ts";
import { keyProblems } from "./problems.ts";

const log = logOf("apps", "keys");

/** How often keys in use are looked at: twice before what is known of them is too old. */
const REFRESH_INTERVAL_MS = 4_000;

/** Keys: who may use the grid, and for what. */
export const keysApp = defineApp<KeyManager>({
  name: "keys",
  verboseName: "Keys",
  problems: keyProblems,
  setup(core) {
    const store = createKeyStore(core.db);
    const ring = new KeyCache(store, core.clock);
    const secret = gridSecret(store, core.secrets);
    core.secrets.checkWith(secret);
    core.auth.plug({
      find: (key) => ring.find(key),
      hasAdmin: () => ring.hasAdmin(),
      secret,
    });
    const manager = createKeyManager(core, store, ring);
    return {
      manager,
      routes: { v1: createKeyRoutes(manager) },
      tags: { Keys: "Who may use the grid, and for what; for admins" },
      async protectSecrets() {
        const count = await protectGridSecrets(core.db, core.secrets);
        await secret();
        return count;
      },
      ready: () =>
        every(() => Promise.all([secret(), ring.refresh()]), {
          clock: core.clock,
          periodMs: REFRESH_INTERVAL_MS,
          jitter: 0.1,
          onFailure: (error) =>
            log.warn("Cannot look at the keys: {error}", { error }),
        }),
    };
  },
});
