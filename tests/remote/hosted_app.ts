/** Program that a platform runs. Prints its address as the first line of stdout; ends with its stdin. */
import { hostApi } from "../../src/hosted.ts";

const { fetch } = hostApi(Deno.env.toObject());
const server = Deno.serve({
  port: 0,
  hostname: "127.0.0.1",
  onListen: ({ port }) => {
    const line = `http://127.0.0.1:${port}\n`;
    Deno.stdout.writeSync(new TextEncoder().encode(line));
  },
}, fetch);
await Deno.stdin.readable.pipeTo(new WritableStream());
await server.shutdown();
Deno.exit();
