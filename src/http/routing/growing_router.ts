import type { Result, Router } from "hono/router";
import { RegExpRouter } from "hono/router/reg-exp-router";
import { SmartRouter } from "hono/router/smart-router";
import { TrieRouter } from "hono/router/trie-router";

/** Arguments of {@linkcode Router.add}. */
type Route<T> = readonly [method: string, path: string, handler: T];

/** Hono's default router, which takes routes after its first match too: it is built again by the next one. */
export class GrowingRouter<T> implements Router<T> {
  readonly name = "GrowingRouter";
  readonly #routes: Route<T>[] = [];
  #built: Router<T> | undefined;

  add(method: string, path: string, handler: T): void {
    this.#routes.push([method, path, handler]);
    this.#built = undefined;
  }

  match(method: string, path: string): Result<T> {
    this.#built ??= build(this.#routes);
    return this.#built.match(method, path);
  }
}

function build<T>(routes: readonly Route<T>[]): Router<T> {
  const router = new SmartRouter<T>({
    routers: [new RegExpRouter(), new TrieRouter()],
  });
  for (const route of routes) router.add(...route);
  return router;
}
