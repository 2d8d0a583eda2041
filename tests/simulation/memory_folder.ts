/** A folder in memory where there is one: the simulation is about what is written, not about disks. */
export async function memoryFolder(): Promise<
  AsyncDisposable & { readonly path: string }
> {
  const memory = await Deno.stat("/dev/shm").then(
    () => "/dev/shm",
    () => undefined,
  );
  const path = await Deno.makeTempDir({
    prefix: "browsergrid-simulation-",
    ...(memory === undefined ? {} : { dir: memory }),
  });
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}
