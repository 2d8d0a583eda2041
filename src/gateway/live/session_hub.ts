import type { LiveMessage } from "../../apps/live/schemas/live_messages.ts";
import type { ViewerMessage } from "../../apps/live/schemas/viewer_messages.ts";
import type { Clock } from "../../async/clock.ts";
import { Timer } from "../../async/timer.ts";
import { createLogger, describeError } from "../../core/log.ts";
import type { Dialer } from "../dialer.ts";
import type { ControlState } from "../../apps/handover/manager.ts";
import { BrowserPages } from "./browser_pages.ts";
import type { BrowserEvent } from "./browser_commands.ts";
import { BrowserLink } from "./browser_link.ts";
import { applyControl, type ControlMessage } from "./control_actions.ts";
import type { ViewerFile } from "./page/file_chooser.ts";
import type { LivePage } from "./page/live_page.ts";
import { Viewer, type ViewerGrant, type ViewerHandler } from "./viewer.ts";
import type { WebSocket } from "ws";

const log = createLogger("gateway", "live");

/** Pause before a changed list of tabs is sent, so that a page that changes its title all the time costs little. */
const TABS_MS = 100;

/** Time after the end of a browser in which the end of its session is reported. */
const END_MS = 3_000;

const NO_CONTROL: ControlState = { control: "client", handover: null };

/** Environment of a {@linkcode SessionHub}. */
export interface HubEnvironment {
  readonly session: {
    readonly id: string;
    readonly browser: string;
    readonly headless: boolean;
  };
  readonly clock: Clock;
  /** Records that a person has taken control (shared), or has given it back (client). */
  readonly setControl: (control: "shared" | "client", by: string) => void;
  /** Ends the open request. */
  readonly finish: (
    message: Extract<ViewerMessage, { type: "finish" }>,
    by: string,
  ) => void;
  /** Called when the hub has no viewer any more, or its browser is gone. */
  readonly onEnd: () => void;
}

/** All viewers of one session at this server. They share one connection to the browser, which ends with the last of them. */
export class SessionHub implements ViewerHandler, Disposable {
  readonly #environment: HubEnvironment;
  readonly #viewers = new Set<Viewer>();
  #pages: BrowserPages | undefined;
  #link: BrowserLink | undefined;
  #controller: Viewer | undefined;
  #state = NO_CONTROL;
  readonly #tabsTimer: Timer;
  readonly #endTimer: Timer;
  #lastSeq = 0;
  #lastInputAt = -Infinity;
  #expected = 0;
  #isOver = false;

  constructor(environment: HubEnvironment) {
    this.#environment = environment;
    this.#tabsTimer = new Timer(environment.clock);
    this.#endTimer = new Timer(environment.clock);
  }

  get viewers(): ReadonlySet<Viewer> {
    return this.#viewers;
  }

  /** Number of viewers, with those that are about to be added. */
  get places(): number {
    return this.#viewers.size + this.#expected;
  }

  /** Monotonic time of the last input of a person. */
  get lastInputAt(): number {
    return this.#lastInputAt;
  }

  /** Name of the viewer in control, if there is one. */
  get controlledBy(): string | undefined {
    return this.#controller?.grant.name;
  }

  /** True if the hub has ended and accepts no viewer. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Keeps the hub for a viewer that is about to be added, until disposed. */
  expectViewer(): Disposable {
    this.#expected++;
    return {
      [Symbol.dispose]: () => {
        this.#expected--;
        this.#endIfUnused();
      },
    };
  }

  /** Connects to the browser. @throws {GridError} `worker_unreachable`. */
  async connect(dialer: Dialer, signal: AbortSignal): Promise<void> {
    const link = await BrowserLink.open(dialer, {
      onEvent: (event) => this.#receive(event),
      signal,
    });
    this.#link = link;
    if (this.#isOver) return link[Symbol.dispose]();
    void link.closed.then(() => this.#explainEnd());
    this.#pages = new BrowserPages({
      link,
      clock: this.#environment.clock,
      nextSeq: () => ++this.#lastSeq,
      tell: (page, message) => this.#tell(page, message),
      onChange: () => this.#tellTabsSoon(),
      onOpen: (page) => this.#followNew(page),
      onClose: (page) => this.#leaveClosed(page),
    });
  }

  /** Adds a viewer, whose socket is open. */
  add(socket: WebSocket, grant: ViewerGrant): void {
    const { session, clock } = this.#environment;
    const viewer = new Viewer(socket, { grant, handler: this, clock });
    this.#viewers.add(viewer);
    viewer.send({
      type: "hello",
      session_id: session.id,
      browser: session.browser,
      headless: session.headless,
      mode: grant.mode,
      expires_at: grant.expiresAt === undefined
        ? null
        : new Date(grant.expiresAt).toISOString(),
    });
    this.#show(viewer, this.#pages?.findNewest());
    this.#tellState();
  }

  /** Sets the recorded control of the session, and tells the viewers of a change. */
  setState(state: ControlState = NO_CONTROL): void {
    if (JSON.stringify(state) === JSON.stringify(this.#state)) return;
    this.#state = state;
    this.#tellState();
  }

  /** Ends all views. */
  end(
    code: Extract<LiveMessage, { type: "end" }>["code"],
    message: string,
  ): void {
    for (const viewer of this.#viewers) viewer.end(code, message);
    this[Symbol.dispose]();
  }

  handle(viewer: Viewer, message: ViewerMessage): void {
    switch (message.type) {
      case "ack":
        return viewer.page?.screencast.viewerIsReady();
      case "view":
        viewer.size = { width: message.width, height: message.height };
        viewer.pacing.maxFps = message.max_fps;
        return viewer.page?.screencast.update();
      case "tab": {
        const page = this.#pages?.find(message.id);
        viewer.hasChosen = page !== undefined;
        return this.#show(viewer, page ?? this.#pages?.findNewest());
      }
      case "control":
        return message.take ? this.#take(viewer) : this.#release(viewer);
      case "finish":
        return this.#environment.finish(message, viewer.grant.name);
      default:
        return this.#control(viewer, message);
    }
  }

  handleFiles(viewer: Viewer, id: number, files: readonly ViewerFile[]): void {
    if (viewer !== this.#controller) return;
    viewer.page?.chooseFiles(id, files).catch(() =>
      viewer.notify("not_possible", "The page no longer waits for files.")
    );
  }

  leave(viewer: Viewer): void {
    if (!this.#viewers.delete(viewer)) return;
    this.#show(viewer, undefined);
    this.#release(viewer);
    this.#tellState();
    this.#endIfUnused();
  }

  [Symbol.dispose](): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#tabsTimer.stop();
    this.#endTimer.stop();
    for (const viewer of this.#viewers) this.#release(viewer);
    this.#pages?.[Symbol.dispose]();
    this.#link?.[Symbol.dispose]();
    this.#environment.onEnd();
  }

  /** Ends the views of a browser that is gone, unless its session ends first, which explains it. */
  #explainEnd(): void {
    if (this.#isOver) return;
    this.#endTimer.start(
      END_MS,
      () =>
        this.end("browser_gone", "The browser is gone, or cannot be reached."),
    );
  }

  #endIfUnused(): void {
    if (this.#viewers.size + this.#expected === 0) this[Symbol.dispose]();
  }

  #receive(event: BrowserEvent): void {
    try {
      this.#pages?.receive(event);
    } catch (error) {
      log.warn("An event of a browser is not understood: {error}", {
        session_id: this.#environment.session.id,
        error: describeError(error),
      });
    }
  }

  #followNew(page: LivePage): void {
    for (const viewer of this.#viewers) {
      if (!viewer.hasChosen) this.#show(viewer, page);
    }
    this.#tellTabsSoon();
  }

  /** Shows the opener of a closed page, or the newest page, to those who saw it. */
  #leaveClosed(page: LivePage): void {
    const next = this.#pages?.find(page.info.openerId) ??
      this.#pages?.findNewest();
    for (const viewer of this.#viewers) {
      if (viewer.page !== page) continue;
      viewer.hasChosen = false;
      this.#show(viewer, next);
    }
    this.#tellTabsSoon();
  }

  /** Shows a page to a viewer. */
  #show(viewer: Viewer, page: LivePage | undefined): void {
    if (viewer.page === page) return;
    const before = viewer.page;
    viewer.page = page;
    viewer.pacing.reset();
    before?.screencast.remove(viewer);
    if (viewer === this.#controller) {
      before?.setControlled({ isControlled: false });
      page?.setControlled({ isControlled: true });
    }
    page?.screencast.add(viewer);
    this.#tellTabs(viewer);
    viewer.send({ type: "dialog", dialog: page?.dialog ?? null });
  }

  #take(viewer: Viewer): void {
    const before = this.#controller;
    if (before === viewer) return;
    if (before) before.page?.setControlled({ isControlled: false });
    this.#controller = viewer;
    viewer.page?.setControlled({ isControlled: true });
    this.#environment.setControl("shared", viewer.grant.name);
    this.#tellState();
  }

  #release(viewer: Viewer): void {
    if (this.#controller !== viewer) return;
    this.#controller = undefined;
    viewer.page?.setControlled({ isControlled: false });
    this.#environment.setControl("client", viewer.grant.name);
    this.#tellState();
  }

  #control(viewer: Viewer, message: ControlMessage): void {
    const link = this.#link;
    if (!link) return;
    if (viewer !== this.#controller) {
      return viewer.notify("not_allowed", "Take control first.");
    }
    this.#lastInputAt = this.#environment.clock.monotonic();
    applyControl(
      { viewer, link, hasPage: (id) => this.#pages?.find(id) !== undefined },
      message,
    )
      .catch((error: unknown) =>
        viewer.notify(
          "not_possible",
          `The browser did not do it: ${
            describeError(error).replace(/^Error: /, "").slice(0, 300)
          }`,
        )
      );
  }

  #tell(page: LivePage, message: LiveMessage): void {
    for (const viewer of this.#viewers) {
      const isForAll = message.type !== "file_chooser";
      const isReceiver = isForAll || viewer === this.#controller;
      if (viewer.page === page && isReceiver) viewer.send(message);
    }
  }

  #tellState(): void {
    const { control, handover } = this.#state;
    for (const viewer of this.#viewers) {
      viewer.send({
        type: "state",
        control: this.#controller && control === "client" ? "shared" : control,
        is_controlling: viewer === this.#controller,
        viewers: this.#viewers.size,
        handover: handover && {
          id: handover.id,
          reason: handover.reason,
          expires_at: handover.expiresAt === null
            ? null
            : new Date(handover.expiresAt).toISOString(),
        },
      });
    }
  }

  #tellTabsSoon(): void {
    if (this.#tabsTimer.isRunning) return;
    this.#tabsTimer.start(TABS_MS, () => {
      for (const viewer of this.#viewers) this.#tellTabs(viewer);
    });
  }

  #tellTabs(viewer: Viewer): void {
    viewer.send({
      type: "tabs",
      tabs: this.#pages?.render() ?? [],
      current: viewer.page?.id ?? null,
      is_touch: viewer.page?.isTouch ?? false,
    });
  }
}
