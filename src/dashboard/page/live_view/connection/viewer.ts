import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { LiveMessage } from "../../../../apps/live/schemas/live_messages.ts";
import type { ViewerMessage } from "../../../../apps/live/schemas/viewer_messages.ts";
import { type EndCode, LiveSocket, type SocketState } from "./live_socket.ts";
import { Notices } from "./notices.ts";
import { PicturePainter } from "./picture_painter.ts";

/** A message of the server of one type. */
export type Message<Type extends LiveMessage["type"]> = Extract<
  LiveMessage,
  { readonly type: Type }
>;

/** An open dialog of the page. */
export type PageDialog = NonNullable<Message<"dialog">["dialog"]>;

/** Address and credentials of a viewer. */
export interface ViewerOptions {
  /** URL of the WebSocket. */
  readonly url: string;
  readonly protocols: readonly string[];
}

/** Ends after which another attempt cannot succeed. */
const FINAL_ENDS: readonly EndCode[] = [
  "session_ended",
  "link_revoked",
  "link_expired",
];

/** A viewer of a browser: its connection, and what the server has said about the browser. */
export class Viewer {
  readonly hello = signal<Message<"hello">>();
  readonly state = signal<Message<"state">>();
  readonly tabs = signal<Message<"tabs">>();
  readonly dialog = signal<PageDialog>();
  readonly select = signal<Message<"select">>();
  readonly fileChooser = signal<Message<"file_chooser">>();
  /** Text that the page's selection had when a copy was asked for; removed by its receiver. */
  readonly copied = signal<string>();
  readonly end = signal<Message<"end">>();
  readonly notices = new Notices();
  readonly painter: PicturePainter;
  /** True if this viewer controls the browser. */
  readonly isControlling: ReadonlySignal<boolean> = computed(() =>
    this.connection.value.state === "open" &&
    this.state.value?.is_controlling === true
  );
  readonly #socket: LiveSocket;
  /** Part of this viewer in the last request to a person. */
  #request: "none" | "seen" | "answered" = "none";

  /** Opens no connection: {@linkcode start} does. */
  constructor({ url, protocols }: ViewerOptions) {
    this.painter = new PicturePainter({
      onDrawn: (seq) => this.send({ type: "ack", seq }),
    });
    this.#socket = new LiveSocket({
      url,
      protocols,
      onOpen: () => this.painter.reset(),
      onPicture: (bytes) => this.painter.show(bytes),
      onMessage: (message) => this.#receive(message),
      onClose: () => this.#forget(),
    });
  }

  /** State of the connection. */
  get connection(): ReadonlySignal<SocketState> {
    return this.#socket.state;
  }

  /** True if this viewer may take control. */
  get canControl(): boolean {
    return this.hello.value?.mode === "control";
  }

  /** Connects, and again after a loss, until the returned function is called. */
  start(): () => void {
    this.#socket.open();
    return () => {
      this.#socket.close();
      this.painter.clear();
    };
  }

  /** Connects again now. */
  retry(): void {
    this.end.value = undefined;
    this.#socket.open();
  }

  /** Part of this viewer in the last request to a person: it has seen or answered it. */
  get request(): "none" | "seen" | "answered" {
    return this.#request;
  }

  /** Sends a message, if the connection is open. */
  send(message: ViewerMessage): void {
    if (message.type === "finish") this.#request = "answered";
    this.#socket.send(JSON.stringify(message));
  }

  /** Answers the file chooser with files; none cancels it. */
  sendFiles(files: readonly File[]): void {
    const chooser = this.fileChooser.value;
    if (!chooser) return;
    this.fileChooser.value = undefined;
    this.send({
      type: "files",
      id: chooser.id,
      files: files.map(({ name, type, size }) => ({ name, mime: type, size })),
    });
    for (const file of files) this.#socket.send(file);
  }

  #receive(message: LiveMessage): void {
    switch (message.type) {
      case "hello":
        return void (this.hello.value = message);
      case "state":
        if (message.handover && this.#request === "none") {
          this.#request = "seen";
        }
        return void (this.state.value = message);
      case "tabs":
        if (message.current !== this.tabs.value?.current) {
          this.notices.clearLasting();
        }
        return void (this.tabs.value = message);
      case "dialog":
        return void (this.dialog.value = message.dialog ?? undefined);
      case "select":
        return void (this.select.value = message);
      case "file_chooser":
        return void (this.fileChooser.value = message);
      case "copied":
        return void (this.copied.value = message.text);
      case "notice":
        return this.notices.add(message.code, message.message);
      case "end":
        return this.#finish(message);
    }
  }

  #finish(message: Message<"end">): void {
    // Another server, or the same one after its restart, goes on.
    if (message.code === "server_stopping") return;
    this.end.value = message;
    this.#socket.close();
    this.#forget();
    // A link that has ended shows nothing more, also no titles.
    this.tabs.value = undefined;
    this.painter.clear();
  }

  /** True if connecting again may help after the end. */
  get canRetry(): boolean {
    const end = this.end.value;
    return end !== undefined && !FINAL_ENDS.includes(end.code);
  }

  /** Removes what was true of a connection only. */
  #forget(): void {
    this.dialog.value = undefined;
    this.select.value = undefined;
    this.fileChooser.value = undefined;
    this.notices.clearLasting();
  }
}
