import assert from "node:assert/strict";
import { OnDemand } from "../../src/async/on_demand.ts";

/** A part that records its disposal. */
class Part implements AsyncDisposable {
  disposals = 0;

  [Symbol.asyncDispose](): Promise<void> {
    this.disposals++;
    return Promise.resolve();
  }
}

Deno.test("OnDemand loads the part once, for all callers", async () => {
  let loads = 0;
  await using part = new OnDemand(() => {
    loads++;
    return Promise.resolve(new Part());
  });
  assert.equal(loads, 0);
  const [first, second] = await Promise.all([part.get(), part.get()]);
  assert.equal(first, second);
  assert.equal(loads, 1);
});

Deno.test("OnDemand rejects for every caller if the part cannot be loaded, and its disposal does not", async () => {
  const part = new OnDemand<Part>(() => Promise.reject(new Error("no file")));
  part.prefetch(() => assert.fail("it is not loaded"));
  await assert.rejects(part.get(), /no file/);
  await assert.rejects(part.get(), /no file/);
  await part[Symbol.asyncDispose]();
});

Deno.test("OnDemand disposes a part that is being loaded, and loads none to dispose it", async () => {
  const loading = Promise.withResolvers<Part>();
  const used = new OnDemand(() => loading.promise);
  const prepared = Promise.withResolvers<Part>();
  used.prefetch(prepared.resolve);
  const disposed = used[Symbol.asyncDispose]();
  loading.resolve(new Part());
  await disposed;
  assert.equal((await prepared.promise).disposals, 1);

  let loads = 0;
  const unused = new OnDemand(() => {
    loads++;
    return Promise.resolve(new Part());
  });
  await unused[Symbol.asyncDispose]();
  assert.equal(loads, 0);
});
