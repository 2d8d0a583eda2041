import {
  createPushStream,
  type PushStreamParts,
} from "../../../http/stream/push_stream.ts";
import {
  HEARTBEAT,
  renderFirst,
  renderMessage,
  renderStalled,
  UNREADABLE,
} from "../../../http/stream/server_sent_events.ts";
import { renderEvent, type StoredEvent } from "../event.ts";

/** Parts of a stream. */
export interface EventStreamParts extends
  Pick<
    PushStreamParts<readonly StoredEvent[]>,
    "clock" | "read" | "signal" | "onStall" | "disconnect" | "onEnd"
  > {
  /** Sequence after which the stream begins. The first message has it as id, for a client that reconnects before the first event. */
  readonly after: number;
  /** Returns the reason of an end in good order, for the client. */
  readonly describeEnd: () => string;
}

/** Creates the body of a response of server-sent events. */
export function createEventStream(
  { after, describeEnd, ...parts }: EventStreamParts,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return createPushStream({
    ...parts,
    texts: {
      first: renderFirst(after),
      heartbeat: HEARTBEAT,
      stalled: renderStalled("event_stream_stalled"),
      unreadable: UNREADABLE,
    },
    render: (events) => events.map(renderFrame).join(""),
    renderEnd: () => renderMessage("end", { reason: describeEnd() }),
  });
}

/** Texts of events, which the streams of all subscribers share. */
const frames = new WeakMap<StoredEvent, string>();

function renderFrame(event: StoredEvent): string {
  const known = frames.get(event);
  if (known !== undefined) return known;
  const { sequence, type } = event;
  const frame = renderMessage(type, renderEvent(event), sequence);
  frames.set(event, frame);
  return frame;
}
