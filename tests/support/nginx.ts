import { connect } from "node:net";
import { once } from "node:events";
import { eventually } from "./eventually.ts";
import { freePort } from "./free_port.ts";

/** Why nginx cannot be used here; undefined if it can. */
export const nginxMissing: string | undefined = await whyMissing();

/** An nginx in front of a server. */
export interface Nginx extends AsyncDisposable {
  readonly url: string;
}

/** Settings of an nginx that differ from its defaults. */
export interface NginxOptions {
  /** Idle time after which it closes a connection; nginx's default is 60. */
  readonly readTimeoutSeconds: number;
}

/** Starts nginx in front of the server at `target`, configured for WebSockets as its documentation says. */
export async function startNginx(
  target: string,
  { readTimeoutSeconds }: NginxOptions,
): Promise<Nginx> {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "browsergrid-nginx-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const port = freePort();
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`).join("\n");
  await Deno.writeTextFile(
    `${folder}/nginx.conf`,
    `daemon off;
master_process off;
pid ${folder}/pid;
error_log stderr warn;
events {}
http {
  access_log off;
  ${temporary}
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass ${target};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_read_timeout ${readTimeoutSeconds}s;
    }
  }
}
`,
  );
  const process = new Deno.Command("nginx", {
    args: ["-p", folder, "-c", `${folder}/nginx.conf`, "-e", "stderr"],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  stack.defer(async () => {
    process.kill("SIGTERM");
    await process.status;
  });
  await eventually("nginx listens", async () => {
    const socket = connect(port, "127.0.0.1");
    const isUp = await once(socket, "connect").then(() => true, () => false);
    socket.destroy();
    return isUp;
  });
  const owned = stack.move();
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function whyMissing(): Promise<string | undefined> {
  try {
    await new Deno.Command("nginx", { args: ["-v"], stderr: "null" }).output();
    return undefined;
  } catch {
    return "no nginx here";
  }
}
