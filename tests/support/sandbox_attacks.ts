import { join } from "node:path";
import type { BoxFolder } from "../../src/providers/local/sandbox/box_folder.ts";
import {
  OWN_ADDRESSES,
  REBOUND_NAME,
  type SandboxScene,
  SITE_NAME,
} from "./sandbox_scene.ts";
import type { BrowserCdp } from "./unix_cdp.ts";

/** The context of an attack. */
export interface Attacker {
  readonly cdp: BrowserCdp;
  readonly scene: SandboxScene;
  /** Address of a browser that is not isolated, on the same host. */
  readonly other: URL;
  /** The box of the attacked browser, if it has one. */
  readonly own: BoxFolder | undefined;
  /** Folder of another session's profile. */
  readonly theirProfile: string;
}

/** Tries a forbidden action, and returns its result. */
export type Attack = (attacker: Attacker) => Promise<string>;

/** Attacks by name. Their results prove the sandbox. */
export const ATTACKS: Readonly<Record<string, Attack>> = {
  "read a file of the host": ({ cdp, scene }) =>
    visitAll(cdp, [`file://${scene.secretFile}`]),
  "read files of the system": ({ cdp }) =>
    visitAll(
      cdp,
      ["/etc/passwd", "/etc/shadow", "/root/", "/home/"]
        .map((path) => `file://${path}`),
    ),
  "read another session's profile and the sockets": (
    { cdp, own, theirProfile },
  ) =>
    visitAll(
      cdp,
      [
        `${theirProfile}/`,
        ...(own ? [own.cdpSocket, own.egressSocket, own.path] : []),
      ].map((path) => `file://${path}`),
    ),
  "upload a file of the host": async ({ cdp, scene }) => {
    const page = await cdp.page();
    await cdp.evaluate(page, `document.body.innerHTML = "<input type=file>"`);
    const { root } = await cdp.call("DOM.getDocument", {}, page);
    const { nodeId } = await cdp.call("DOM.querySelector", {
      nodeId: root.nodeId,
      selector: "input",
    }, page);
    const files = [scene.secretFile];
    await cdp.call("DOM.setFileInputFiles", { nodeId, files }, page);
    return await cdp.evaluate(
      page,
      `document.querySelector("input").files[0].text()`,
    );
  },
  "write to folders of the host by a download": async ({ cdp, scene }) => {
    const found: string[] = [];
    for (const mode of [0o755, 0o777]) {
      const folder = join(scene.folder, `writable-${mode}`);
      await Deno.mkdir(folder);
      await Deno.chmod(folder, mode);
      await download(cdp, folder);
      found.push(await contentIn(folder));
    }
    return found.join(" ");
  },
  "download into its own profile": async ({ cdp, own, scene }) => {
    const folder = own ? "/profile/dl" : join(scene.folder, "dl");
    await download(cdp, folder);
    return await contentIn(own ? join(own.profile, "dl") : folder);
  },
  "fill the memory of the host by downloads": async ({ cdp, own }) => {
    // On a browser that is not isolated these would be the folders of this machine.
    if (!own) return "not tried";
    const found: string[] = [];
    for (
      const folder of ["/", "/etc", "/run", "/dev", "/usr/local", "/var/tmp"]
    ) {
      found.push(await download(cdp, folder));
    }
    return found.join(" ");
  },
  "reach the loopback of the host": ({ cdp, scene }) =>
    visitAll(
      cdp,
      [
        ...["127.0.0.1", "localhost", "0.0.0.0", "2130706433"],
        ...["[::1]", "[::ffff:127.0.0.1]"],
      ].map((host) => `http://${host}:${scene.secretPort}/`),
    ),
  "reach the host's own addresses": ({ cdp, scene }) =>
    visitAll(
      cdp,
      OWN_ADDRESSES.map((address) =>
        `http://${
          address.includes(":") ? `[${address}]` : address
        }:${scene.secretPort}/`
      ),
    ),
  "reach the loopback by a name that leads there": ({ cdp, scene }) =>
    visitAll(cdp, [`http://${REBOUND_NAME}:${scene.secretPort}/`]),
  "take over another browser by its port": async ({ cdp, other }) => {
    const page = await cdp.page();
    const at = await cdp.visit(page, `http://${other.host}/json/version`);
    const said = await socketSays(
      cdp,
      page,
      other.href,
      JSON.stringify({ id: 1, method: "Browser.getVersion" }),
    );
    return `${at} ${said}`;
  },
  "go around the proxy by a context of its own": async ({ cdp, scene }) => {
    const found: string[] = [];
    const secret = `127.0.0.1:${scene.secretPort}`;
    for (const proxyServer of ["direct://", secret, `socks5://${secret}`]) {
      const { browserContextId } = await cdp.call(
        "Target.createBrowserContext",
        { proxyServer, proxyBypassList: "<-loopback>" },
      );
      const page = await cdp.page(browserContextId);
      found.push(
        await cdp.visit(page, `http://127.0.0.1:${scene.secretPort}/`),
      );
    }
    return found.join("\n");
  },
  "find addresses by WebRTC": async ({ cdp }) => {
    const page = await cdp.page();
    const candidates = await cdp.evaluate(
      page,
      `new Promise((done) => {
        const peer = new RTCPeerConnection();
        const found = [];
        peer.createDataChannel("a");
        peer.onicecandidate = ({ candidate }) =>
          candidate ? found.push(candidate.candidate) : done(found.length);
        // Without a network, gathering never completes.
        setTimeout(() => done(found.length), 1000);
        peer.createOffer().then((offer) => peer.setLocalDescription(offer));
      })`,
    );
    return `${candidates} candidates`;
  },
  "reach its own debugging port from a page": async ({ cdp, own, other }) => {
    const host = own ? "127.0.0.1:9222" : other.host;
    return await visitAll(cdp, [
      `http://${host}/json/version`,
      `http://localhost:${host.split(":")[1]}/json/version`,
    ]);
  },
  "visit the allowed site": async ({ cdp, scene }) => {
    const page = await cdp.page();
    const site = `${SITE_NAME}:${scene.sitePort}`;
    const text = await cdp.visit(page, `http://${site}/`);
    const said = await socketSays(cdp, page, `ws://${site}/`);
    const fetched = await cdp.evaluate(
      page,
      `Promise.all(Array.from({ length: 300 }, (_, at) =>
        fetch("/" + at).then((answer) => answer.text())
      )).then((all) => all.filter((text) => text === "SITE-OK").length)`,
    );
    return `${text} ${said} ${fetched}`;
  },
  "visit the allowed site's host at another port": ({ cdp, scene }) =>
    visitAll(cdp, [`http://${SITE_NAME}:${scene.secretPort}/`]),
  "its own sandbox": async ({ cdp }) => {
    const page = await cdp.page();
    const text = await cdp.visit(page, "chrome://sandbox/");
    return text.includes("You are adequately sandboxed") ? "on" : "off";
  },
};

async function visitAll(
  cdp: BrowserCdp,
  urls: readonly string[],
): Promise<string> {
  const page = await cdp.page();
  const found: string[] = [];
  for (const url of urls) found.push(await cdp.visit(page, url));
  return found.join("\n");
}

async function socketSays(
  cdp: BrowserCdp,
  page: string,
  url: string,
  message = "",
): Promise<string> {
  return await cdp.evaluate(
    page,
    `new Promise((done) => {
      const socket = new WebSocket(${JSON.stringify(url)});
      socket.onopen = () => socket.send(${JSON.stringify(message)});
      socket.onmessage = ({ data }) => done(data);
      socket.onerror = () => done("no socket");
    })`,
  );
}

/** Downloads a file to `downloadPath` and returns the state in which the browser reports its end. */
async function download(
  cdp: BrowserCdp,
  downloadPath: string,
): Promise<string> {
  await cdp.call("Browser.setDownloadBehavior", {
    behavior: "allow",
    downloadPath,
    eventsEnabled: true,
  });
  const page = await cdp.page();
  const ended = cdp.event(({ method, params }) =>
    method === "Browser.downloadProgress" && params.state !== "inProgress"
  );
  await cdp.evaluate(
    page,
    `const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["WRITTEN"]));
    link.download = "file.txt";
    link.click()`,
  );
  return (await ended).params.state;
}

async function contentIn(folder: string): Promise<string> {
  const path = join(folder, "file.txt");
  return await Deno.readTextFile(path).catch(() => "not on host");
}
