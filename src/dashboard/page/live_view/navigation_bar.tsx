import type { VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import {
  BackIcon,
  CloseIcon,
  ForwardIcon,
  NewIcon,
  ReloadIcon,
} from "./icons.tsx";
import { parseAddress } from "./parse_address.ts";
import type { Viewer } from "./connection/viewer.ts";

/** Buttons and the address of the current tab, as in a browser. */
export function NavigationBar({ viewer }: { readonly viewer: Viewer }): VNode {
  const current = viewer.tabs.value?.current ?? null;
  const navigate = (action: "back" | "forward" | "reload") =>
    viewer.send({ type: "navigate", action });
  return (
    <div class="live-navigation">
      <button
        type="button"
        aria-label="Back"
        title="Back"
        onClick={() => navigate("back")}
      >
        <BackIcon />
      </button>
      <button
        type="button"
        aria-label="Forward"
        title="Forward"
        onClick={() => navigate("forward")}
      >
        <ForwardIcon />
      </button>
      <button
        type="button"
        aria-label="Reload"
        title="Reload"
        onClick={() => navigate("reload")}
      >
        <ReloadIcon />
      </button>
      <Address viewer={viewer} />
      <button
        type="button"
        aria-label="New tab"
        title="New tab"
        onClick={() => viewer.send({ type: "new_tab" })}
      >
        <NewIcon />
      </button>
      <button
        type="button"
        aria-label="Close tab"
        title="Close tab"
        disabled={current === null}
        onClick={() =>
          current !== null && viewer.send({ type: "close_tab", id: current })}
      >
        <CloseIcon />
      </button>
    </div>
  );
}

function Address({ viewer }: { readonly viewer: Viewer }): VNode {
  const { tabs, current } = viewer.tabs.value ?? { tabs: [], current: null };
  const url = tabs.find(({ id }) => id === current)?.url ?? "";
  const field = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(url);
  const [fault, setFault] = useState<string>();
  useEffect(() => {
    // What the visitor types stays, although the page goes elsewhere.
    if (document.activeElement !== field.current) setText(url);
    setFault(undefined);
  }, [url]);
  function open(event: Event): void {
    event.preventDefault();
    const address = parseAddress(text);
    setFault(
      address === undefined ? "Expected an http or https address" : undefined,
    );
    if (address === undefined) return;
    viewer.send({ type: "navigate", action: "open", url: address });
    field.current?.blur();
  }
  return (
    <form onSubmit={open}>
      <input
        ref={field}
        type="text"
        name="address"
        inputMode="url"
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        aria-label="Address"
        aria-invalid={fault !== undefined}
        title={fault}
        value={text}
        onFocus={(event) => event.currentTarget.select()}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={({ key }) => key === "Escape" && setText(url)}
      />
    </form>
  );
}
