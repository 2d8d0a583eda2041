import { configure, type LogRecord, reset } from "@logtape/logtape";

/** Collects the project's log records until disposal. */
export async function logRecords(): Promise<
  AsyncDisposable & { readonly records: readonly LogRecord[] }
> {
  const records: LogRecord[] = [];
  await configure({
    // Another test of this process may have left its configuration.
    reset: true,
    sinks: { records: (record) => records.push(record) },
    loggers: [
      { category: "browsergrid", lowestLevel: "debug", sinks: ["records"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: [] },
    ],
  });
  return { records, [Symbol.asyncDispose]: () => reset() };
}
