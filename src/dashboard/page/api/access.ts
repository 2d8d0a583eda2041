import { type ReadonlySignal, signal } from "@preact/signals";
import type { CallerWire } from "../../../apps/keys/schemas.ts";
import { ApiError } from "../../../client/client.ts";
import { setUnauthorizedHandler, transport } from "./client.ts";
import { describeError } from "./describe_error.ts";

/** Access of the visitor to the grid. */
export type Access =
  | { readonly state: "loading" }
  | { readonly state: "unreachable"; readonly message: string }
  | { readonly state: "signed_out"; readonly notice?: string }
  | { readonly state: "open"; readonly visitor: CallerWire };

const current = signal<Access>({ state: "loading" });

/** Access of the visitor. */
export const access: ReadonlySignal<Access> = current;

/** Returns true if the visitor may see and change the whole grid. */
export function isAdmin(): boolean {
  const { value } = current;
  return value.state === "open" && value.visitor.role === "admin" &&
    value.visitor.work_pool_id === null;
}

/** Returns true if programs need a key to use the grid. */
export function isKeyRequired(): boolean {
  const { value } = current;
  return value.state === "open" && value.visitor.key_required;
}

/** Asks the server for the visitor's access. */
export async function loadCaller(): Promise<void> {
  try {
    const visitor = await transport.json<CallerWire>(
      "GET",
      "/v1/auth/caller",
    );
    current.value = { state: "open", visitor };
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) {
      current.value = { state: "signed_out" };
    } else {
      current.value = { state: "unreachable", message: describeError(error) };
    }
  }
}

/** Signs in with a key. Returns the reason if the server rejects it. */
export async function signIn(key: string): Promise<string | undefined> {
  try {
    const visitor = await transport.json<CallerWire>(
      "POST",
      "/v1/auth/sign-in",
      { body: { key } },
    );
    current.value = { state: "open", visitor };
  } catch (error) {
    return error instanceof ApiError && error.status === 401
      ? "The grid does not know this key, or it has expired."
      : describeError(error);
  }
}

/** Signs out, with `everywhere` in all browsers that have signed in with the key. */
export async function signOut(
  { everywhere }: { readonly everywhere: boolean },
): Promise<void> {
  await transport.text("POST", "/v1/auth/sign-out", { body: { everywhere } });
  current.value = { state: "signed_out", notice: "You have signed out." };
}

setUnauthorizedHandler(() => {
  if (current.value.state !== "open") return;
  current.value = {
    state: "signed_out",
    notice: "Your sign-in has ended. Sign in again to go on.",
  };
});
