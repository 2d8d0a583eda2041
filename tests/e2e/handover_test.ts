import assert from "node:assert/strict";
import { cdpClient } from "../support/cdp_client.ts";
import { eventually } from "../support/eventually.ts";
import {
  clientProgram,
  installClients,
  runNode,
} from "../support/node_client.ts";
import { type BrowserGrid, browserGrid } from "./browser_grid.ts";

/** A shop whose account only those see who have signed in. */
function startShop(): AsyncDisposable & { readonly url: string } {
  const html = (body: string, headers: Record<string, string> = {}) =>
    new Response(`<!DOCTYPE html>${body}`, {
      headers: { "content-type": "text/html", ...headers },
    });
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
  }, (request) => {
    const { pathname, searchParams } = new URL(request.url);
    const cookie = request.headers.get("cookie") ?? "";
    if (pathname === "/login" && !searchParams.has("name")) {
      return html(`<form action="/login"><input name="name"></form>`);
    }
    if (pathname === "/login") {
      return html("", {
        "set-cookie": `name=${searchParams.get("name")}; Path=/`,
        refresh: "0; url=/account",
      });
    }
    const [, name] = /name=(\w+)/.exec(cookie) ?? [];
    return html(name ? `<h1>Welcome ${name}</h1>` : "<h1>Unknown</h1>");
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** Signs in with keys in the page of the login, as a person does in the live view, when control is theirs. */
async function signIn({ client }: BrowserGrid, id: string): Promise<void> {
  await eventually("the person has control", async () => {
    const { control } = await client.getSession(id);
    return control === "human" || undefined;
  });
  const targets = await client.listSessionTargets(id);
  const login = targets.find(({ url }) => String(url).endsWith("/login"));
  await using page = await cdpClient(String(login?.["webSocketDebuggerUrl"]));
  await page.evaluate("document.querySelector('input').focus()");
  await page.call("Input.insertText", { text: "Ada" });
  const key = { key: "Enter", windowsVirtualKeyCode: 13 };
  await page.call("Input.dispatchKeyEvent", {
    ...key,
    type: "keyDown",
    text: "\r",
  });
  await page.call("Input.dispatchKeyEvent", { ...key, type: "keyUp" });
  await eventually("the person is signed in", async () => {
    const all = await client.listSessionTargets(id);
    return all.some(({ url }) => String(url).endsWith("/account")) || undefined;
  });
}

const PROGRAMS = {
  puppeteer: { finishes: false, expected: "condition_met" },
  playwright: { finishes: true, expected: "done Signed in" },
};

for (const [name, { finishes, expected }] of Object.entries(PROGRAMS)) {
  Deno.test(`a program with ${name} hands a login over to a person and goes on signed in`, async () => {
    await installClients();
    await using shop = startShop();
    await using grid = await browserGrid("local");
    const { client } = grid;
    const { id, connect_url } = await client.createSession(
      { max_connections: 2 },
      { waitSeconds: 60 },
    );
    const source = await clientProgram(`handover_${name}.mjs`);
    const session = `${client.apiUrl}/v1/sessions/${id}`;
    const program = runNode(source, [session, connect_url, shop.url]);
    await signIn(grid, id);
    if (finishes) await client.finishHandover(id, { note: "Signed in" });
    const { code, stdout, stderr } = await program;
    assert.equal(code, 0, stderr);
    const [link, result, title] = stdout.trim().split("\n");
    assert.match(link ?? "", /\/live#lv_/);
    assert.deepEqual([result, title], [expected, "Welcome Ada"]);
    assert.equal((await client.getSession(id)).control, "client");
  });
}
