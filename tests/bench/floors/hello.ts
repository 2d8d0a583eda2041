/**
 * A server that answers every request with the same small document, as little as a server on Hono and `node:http` can
 * do. Prints its address.
 *
 * @module
 */
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { print } from "../times.ts";

/** The fields that the load generator reads from responses of the API. */
const RESPONSE = {
  id: "hello",
  worker: { id: "hello" },
  secret: "hello",
  instance_id: "hello",
  sessions: [{ id: "hello", fencing_token: 1 }],
};

const app = new Hono().all("*", (context) => context.json(RESPONSE));
serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) => {
  print(`http://127.0.0.1:${port}`);
});
