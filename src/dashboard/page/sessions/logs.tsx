import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { SessionWire } from "../../../client/client.ts";
import { client } from "../api/client.ts";
import { describeError } from "../api/describe_error.ts";
import { Empty, Fault, Loading } from "../ui/notice.tsx";
import { Section } from "../ui/section.tsx";
import { LogBuffer } from "./log_buffer.ts";
import { isLive } from "./status.ts";

/** The last output of a session's browser, which goes on while the session lives. */
export function Logs({ session }: { readonly session: SessionWire }): VNode {
  const isFollowed = isLive(session);
  const [place, setPlace] = useState<"end" | "free">("end");
  const isAtEnd = place === "end";
  const { text, error } = useOutput(session.id, isFollowed);
  const output = useRef<HTMLPreElement>(null);
  useEffect(() => {
    const { current } = output;
    if (isAtEnd && current) current.scrollTop = current.scrollHeight;
  }, [text, isAtEnd]);
  return (
    <Section
      title="Output of the browser"
      aside={isFollowed && (
        <label class="check">
          <input
            type="checkbox"
            checked={isAtEnd}
            onChange={(event) =>
              setPlace(event.currentTarget.checked ? "end" : "free")}
          />{" "}
          Follow
        </label>
      )}
    >
      <Fault message={error} />
      {text === undefined && error === undefined && <Loading />}
      {text === "" && <Empty title="The browser has written nothing" />}
      {text && (
        <pre
          ref={output}
          class="output"
          tabIndex={0}
          role="log"
          aria-live="off"
          aria-label="Output of the browser"
        >{text}</pre>
      )}
    </Section>
  );
}

/** Returns the output so far. Parts that come close together cause one change. */
function useOutput(
  id: string,
  isFollowed: boolean,
): { readonly text: string | undefined; readonly error: string | undefined } {
  const [text, setText] = useState<string>();
  const [error, setError] = useState<string>();
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const buffer = new LogBuffer(setText);
    async function read(): Promise<void> {
      if (!isFollowed) {
        buffer.add(await client.getSessionLogs(id, { signal }));
        return;
      }
      for await (const part of client.followSessionLogs(id, { signal })) {
        if (part.first) buffer.clear();
        if (part.omitted_bytes > 0) {
          buffer.add(`\n[${part.omitted_bytes} bytes are left out]\n`);
        }
        buffer.add(part.text);
      }
    }
    // A session that writes nothing is not one that is still read.
    const timer = setTimeout(() => buffer.add(""), 1_000);
    read().catch((cause) => signal.aborted || setError(describeError(cause)));
    return () => {
      controller.abort();
      clearTimeout(timer);
      buffer[Symbol.dispose]();
    };
  }, [id, isFollowed]);
  return { text, error };
}
