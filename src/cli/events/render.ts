import type { EventWire } from "../../client/client.ts";
import { escapeJson, escapeText } from "../../core/text.ts";
import type { Output } from "../output.ts";
import { renderSeconds } from "../print_record.ts";

/** Names of the columns. */
export const EVENT_COLUMNS = ["time", "type", "id", "data"] as const;

/** Widths of the columns of a time and an id. */
const TIME_WIDTH = 20;
const ID_WIDTH = 36;

/** Least and greatest width of the column of types. */
const MIN_TYPE = 16;
const MAX_TYPE = 27;

/** Least width of the column of data; where less is free, data are on lines of their own. */
const MIN_DATA = 20;

/** Start of a line of data. */
const INDENT = "  ";

/** Returns the cells of an event. */
export function toEventRow(event: EventWire): readonly string[] {
  return [
    renderSeconds(event.timestamp),
    event.type,
    findSubject(event),
    renderData(event.data),
  ];
}

/** Returns the id of what an event happened to: of a session for `session.failed`. */
function findSubject(event: EventWire): string {
  const { type, session_id, worker_id, work_pool_id, data } = event;
  const [kind = ""] = type.split(".");
  const ids: Readonly<Record<string, unknown>> = {
    session: session_id,
    worker: worker_id,
    pool: work_pool_id,
    webhook: data["webhook_id"],
  };
  return String(ids[kind] ?? session_id ?? worker_id ?? work_pool_id ?? "");
}

function renderData(data: Readonly<Record<string, unknown>>): string {
  return Object.entries(data).map(([name, value]) =>
    `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`
  ).join(", ").replaceAll(/\s+/g, " ");
}

/** Prints events one by one, in columns of fixed widths below a head, or as JSON. In a narrow terminal, data are below the rest. */
export class EventLines {
  readonly #output: Output;
  readonly #isJson: boolean;
  readonly #width: number;
  readonly #type: number;
  readonly #data: number;
  #hasHead = false;

  constructor(
    { json }: { readonly json?: boolean | undefined },
    output: Output,
  ) {
    this.#output = output;
    this.#isJson = json ?? false;
    this.#width = output.isTerminal ? Deno.consoleSize().columns : Infinity;
    const free = this.#width - TIME_WIDTH - ID_WIDTH - 4;
    this.#type = Math.max(MIN_TYPE, Math.min(MAX_TYPE, free));
    this.#data = free - this.#type - 2;
  }

  /** True if the terminal has no room for a column of data. */
  get isNarrow(): boolean {
    return this.#data < MIN_DATA;
  }

  print(event: EventWire): void {
    if (this.#isJson) {
      this.#output.print(escapeJson(JSON.stringify(event)));
      return;
    }
    if (!this.#hasHead) {
      const columns = EVENT_COLUMNS.slice(0, this.isNarrow ? -1 : undefined);
      this.#printRow(columns.map((name) => name.toUpperCase()));
    }
    this.#hasHead = true;
    this.#printRow(toEventRow(event).map(escapeText));
  }

  #printRow([time = "", type = "", id = "", data = ""]: readonly string[]) {
    const cells = [
      time.padEnd(TIME_WIDTH),
      cut(type, this.#type).padEnd(this.#type),
      id.padEnd(ID_WIDTH),
      this.isNarrow ? "" : cut(data, this.#data),
    ];
    this.#output.print(cells.join("  ").trimEnd());
    if (!this.isNarrow || data === "") return;
    this.#output.print(INDENT + cut(data, this.#width - INDENT.length));
  }
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}\u2026`;
}
