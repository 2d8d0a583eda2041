import assert from "node:assert/strict";
import fc from "fast-check";
import {
  parseConnectQuery,
  parseKeepAlive,
} from "../../src/gateway/connect.ts";
import {
  describedApi,
  type DescribedOperation,
} from "../support/api_document.ts";
import { allowedRequest } from "../support/fuzzed_request.ts";
import { testGrid } from "../support/grid.ts";

Deno.test("/v1/connect accepts every parameter of the OpenAPI document, with every value that the document allows", async () => {
  await using grid = await testGrid();
  const { operations, follow } = await describedApi(grid);
  const connect = operations.find(({ id }) => id === "connectSocket");
  assert.ok(connect);
  const known = {
    argument: ["--lang=de-DE"],
    label: ["team=search"],
    launch: ['{"headless":true}'],
    proxy_url: ["http://proxy.example:3128"],
  };
  const seen = new Set<string>();
  fc.assert(
    fc.property(allowedRequest(connect, { follow, known }), ({ path }) => {
      const { searchParams: query } = new URL(path, "http://grid");
      // A user name and a password for a proxy need its address.
      query.set("proxy_url", "http://proxy.example:3128");
      for (const name of query.keys()) seen.add(name);
      parseConnectQuery(query);
      const keepAlive = query.get("keep_alive");
      const seconds = keepAlive === null ? undefined : Number(keepAlive);
      assert.equal(parseKeepAlive(query), seconds);
    }),
  );
  assert.deepEqual(
    [...seen].sort(),
    queryParameters(connect).sort(),
  );
});

Deno.test("an unknown parameter of /v1/connect is rejected with the parameters of the OpenAPI document", async () => {
  await using grid = await testGrid();
  const { operations } = await describedApi(grid);
  const connect = operations.find(({ id }) => id === "connectSocket");
  assert.throws(
    () => parseConnectQuery(new URLSearchParams({ colour: "blue" })),
    ({ message }) => {
      const [, list = ""] = /expected one of (.*)/.exec(message) ?? [];
      const named = list.split(", ").filter((name) => name !== "env.NAME");
      const described = connect ? queryParameters(connect) : [];
      assert.deepEqual(named.sort(), described.toSorted());
      return true;
    },
  );
});

function queryParameters({ parameters }: DescribedOperation): string[] {
  return parameters.filter((each) => each.in === "query")
    .map(({ name }) => name);
}
