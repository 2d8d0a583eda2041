import type { VNode } from "preact";
import { useId, useState } from "preact/hooks";
import { signIn } from "./api/access.ts";
import { Fault } from "./ui/notice.tsx";

/** The form to sign in with a key. */
export function SignIn(
  { notice }: { readonly notice: string | undefined },
): VNode {
  const id = useId();
  const [key, setKey] = useState("");
  const [error, setError] = useState<string>();
  const [phase, setPhase] = useState<"editing" | "sent">("editing");
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    setPhase("sent");
    setError(await signIn(key.trim()));
    setPhase("editing");
  }
  return (
    <main class="alone">
      <form class="sign-in" onSubmit={(event) => void submit(event)}>
        <h1>Browsergrid</h1>
        {notice !== undefined && <p role="status">{notice}</p>}
        <label for={id}>API key</label>
        <input
          id={id}
          type="password"
          name="key"
          autoComplete="off"
          required
          autoFocus
          value={key}
          onInput={(event) => setKey(event.currentTarget.value)}
        />
        <Fault message={error} />
        <button type="submit" class="primary" disabled={phase === "sent"}>
          {phase === "sent" ? "Signing in\u2026" : "Sign in"}
        </button>
        <p class="dim">
          An admin sees the whole grid; a client sees its own sessions. Create a
          key with <code>browsergrid key create</code>.
        </p>
      </form>
    </main>
  );
}
