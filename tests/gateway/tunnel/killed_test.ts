import { once } from "node:events";
import { givenGrid } from "../../support/given_grid.ts";
import { rawClient, readBytes } from "../../support/raw_client.ts";
import { startUpstream } from "../../support/upstream.ts";

Deno.test("a killed worker process closes the connections of clients through its tunnel", async () => {
  await using upstream = await startUpstream();
  await using grid = await givenGrid();
  const worker = await grid.worker("tunnel");
  using client = await rawClient(
    await grid.session("tunnel", upstream.endpoint),
  );
  client.socket.write("still there");
  await readBytes(client.socket, 11);
  worker.kill("SIGKILL");
  client.socket.resume();
  await once(client.socket, "close");
});
