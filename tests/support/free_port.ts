/** Below the ports that Linux gives to outgoing connections, so that none of those takes it while a server is down. */
const FIRST = 20_000;
const COUNT = 12_000;

/** Returns a free port that a server can use repeatedly. */
export function freePort(): number {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}
