import { once } from "node:events";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { eventually } from "./eventually.ts";

const value = z.union([
  z.strictObject({ stringValue: z.string() }),
  z.strictObject({ boolValue: z.boolean() }),
  z.strictObject({
    intValue: z.union([z.int(), z.string().regex(/^-?\d+$/)]),
  }),
  z.strictObject({ doubleValue: z.number() }),
]);

const attributes = z.array(z.strictObject({ key: z.string().min(1), value }));

const traceId = z.string().regex(/^(?!0+$)[0-9a-f]{32}$/);
const spanId = z.string().regex(/^(?!0+$)[0-9a-f]{16}$/);
const nanoseconds = z.string().regex(/^\d{16,20}$/);

const span = z.strictObject({
  traceId,
  spanId,
  parentSpanId: spanId.optional(),
  traceState: z.string().optional(),
  flags: z.int().min(0).optional(),
  name: z.string().min(1),
  kind: z.int().min(1).max(5),
  startTimeUnixNano: nanoseconds,
  endTimeUnixNano: nanoseconds,
  attributes,
  droppedAttributesCount: z.literal(0),
  events: z.tuple([]),
  droppedEventsCount: z.literal(0),
  status: z.strictObject({
    code: z.union([z.literal(0), z.literal(1), z.literal(2)]),
    message: z.string().optional(),
  }),
  links: z.array(z.strictObject({
    traceId,
    spanId,
    flags: z.int().optional(),
    attributes: attributes.optional(),
    droppedAttributesCount: z.int().optional(),
  })),
  droppedLinksCount: z.literal(0),
});

/** ExportTraceServiceRequest of OTLP in JSON: ids in hexadecimal, 64-bit times as text, names in camel case. */
const request = z.strictObject({
  resourceSpans: z.array(z.strictObject({
    resource: z.strictObject({
      attributes,
      droppedAttributesCount: z.literal(0),
    }),
    scopeSpans: z.array(z.strictObject({
      scope: z.strictObject({
        name: z.string().min(1),
        version: z.string().optional(),
      }),
      spans: z.array(span).min(1),
    })).min(1),
  })).min(1),
});

/** A span that a receiver got. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly scope: string;
  readonly service: string;
  readonly instance: string;
  /** Milliseconds. */
  readonly startAt: number;
  readonly endAt: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly { readonly traceId: string }[];
  readonly error: string | undefined;
}

/** A collector of traces on loopback. */
export interface OtlpReceiver extends AsyncDisposable {
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  /** Headers of each request. */
  readonly requests: readonly Headers[];
  /** Bodies, as text. */
  readonly bodies: readonly string[];
  /** Requests that were not valid OTLP. */
  readonly faults: readonly string[];
  /** Resolves with the spans when one of each name is there. */
  waitFor(...names: readonly string[]): Promise<readonly ReceivedSpan[]>;
  /** Resolves when at least `count` requests have arrived. */
  waitForRequests(count: number): Promise<void>;
}

/** Status of the response to a request with this number, from 0; a promise delays it. Spans count if it is 200. */
export type RespondOtlp = (count: number) => number | Promise<number>;

/** Starts a collector, which checks each request against the form of OTLP. */
export async function startOtlpReceiver(
  respond: RespondOtlp = () => 200,
): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const requests: Headers[] = [];
  const bodies: string[] = [];
  const faults: string[] = [];
  const server = createServer((incoming, response) => {
    void answer().catch(() => response.destroy());
    async function answer(): Promise<void> {
      const body = await text(incoming);
      const count = requests.length;
      requests.push(
        new Headers(
          Object.entries(incoming.headers).map(([name, value]) =>
            [name, String(value)] as [string, string]
          ),
        ),
      );
      bodies.push(body);
      const where = `${incoming.method} ${incoming.url}`;
      if (where !== "POST /v1/traces") faults.push(where);
      const status = await respond(count);
      if (status === 200) {
        try {
          spans.push(...readSpans(request.parse(JSON.parse(body))));
        } catch (error) {
          faults.push(`${error} ${body}`);
        }
      }
      response.writeHead(status, { "content-type": "application/json" })
        .end("{}");
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    requests,
    bodies,
    faults,
    waitFor: (...names) =>
      eventually(`spans ${names.join(", ")} arrive`, () => {
        if (faults.length > 0) throw new Error(faults.join("\n"));
        const has = (name: string) => spans.some((each) => each.name === name);
        return Promise.resolve(names.every(has) && spans);
      }),
    async waitForRequests(count) {
      await eventually(
        `${count} requests arrive`,
        () => Promise.resolve(requests.length >= count),
      );
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function readSpans({ resourceSpans }: z.infer<typeof request>): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const process = readAttributes(resource.attributes);
    return scopeSpans.flatMap(({ scope, spans }) =>
      spans.map((each) => ({
        traceId: each.traceId,
        spanId: each.spanId,
        parentSpanId: each.parentSpanId,
        name: each.name,
        scope: scope.name,
        service: String(process["service.name"]),
        instance: String(process["service.instance.id"]),
        startAt: Number(BigInt(each.startTimeUnixNano) / 1_000_000n),
        endAt: Number(BigInt(each.endTimeUnixNano) / 1_000_000n),
        attributes: readAttributes(each.attributes),
        links: each.links,
        error: each.status.code === 2 ? each.status.message ?? "" : undefined,
      }))
    );
  });
}

function readAttributes(
  list: z.infer<typeof attributes>,
): Record<string, unknown> {
  return Object.fromEntries(
    list.map(({ key, value }) => [key, Object.values(value)[0]]),
  );
}
