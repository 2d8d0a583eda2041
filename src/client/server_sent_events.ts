/** A message of a stream of server-sent events. One without data sets the position or the pause only. */
export interface ServerSentMessage {
  readonly id?: string;
  readonly event?: string;
  readonly data?: string;
  /** Pause before a client reconnects. */
  readonly retryMs?: number;
}

/** Maximum length of a line. */
const MAX_LINE = 16_777_216;

/**
 * Yields the messages of an event stream. Comments are left out, and a message that the stream ends within.
 *
 * @throws {RangeError} If a line is longer than 16 million characters.
 * @see {@link https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream Parsing an event stream}
 */
export async function* parseMessages(
  parts: AsyncIterable<string>,
): AsyncGenerator<ServerSentMessage, void, undefined> {
  let message: ServerSentMessage = {};
  let rest = "";
  for await (const part of parts) {
    const lines = (rest + part).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > MAX_LINE) {
      throw new RangeError("A line of the event stream is too long");
    }
    for (const line of lines) {
      if (line !== "" && line !== "\r") {
        message = addField(message, line);
        continue;
      }
      if (Object.keys(message).length > 0) yield message;
      message = {};
    }
  }
}

function addField(
  message: ServerSentMessage,
  line: string,
): ServerSentMessage {
  const [, name, value = ""] = /^([^:]*)(?:: ?(.*?))?\r?$/s.exec(line) ?? [];
  switch (name) {
    case "id":
    case "event":
      return { ...message, [name]: value };
    case "data":
      return {
        ...message,
        data: message.data === undefined ? value : `${message.data}\n${value}`,
      };
    case "retry":
      return /^\d{1,9}$/.test(value)
        ? { ...message, retryMs: Number(value) }
        : message;
    default:
      return message;
  }
}
