import type { Clock } from "../../../async/clock.ts";
import { z } from "@hono/zod-openapi";
import type { LiveMessage } from "../../../apps/live/schemas/live_messages.ts";
import type {
  BrowserCommand,
  BrowserCommands,
  BrowserEvent,
} from "../browser_commands.ts";
import { createChoice, type OpenSelect } from "./drop_down.ts";
import { FileChooser, type ViewerFile } from "./file_chooser.ts";
import { IsolatedWorld } from "./isolated_world.ts";
import { pageEvents, type TargetInfo } from "./page_events.ts";
import {
  FIND_SELECT,
  IS_TOUCH,
  MAX_COPIED,
  READ_SELECTION,
  selectSchema,
} from "./page_functions.ts";
import { Screencast } from "./screencast.ts";

type Of<T extends LiveMessage["type"]> = Extract<LiveMessage, { type: T }>;

/** An open dialog. */
type Dialog = NonNullable<Of<"dialog">["dialog"]>;

/** Environment of a {@linkcode LivePage}. */
export interface PageEnvironment {
  readonly link: BrowserCommands;
  readonly clock: Clock;
  readonly nextSeq: () => number;
  /** Sends a message to the viewers of the page. */
  readonly tell: (page: LivePage, message: LiveMessage) => void;
  /** Called when what the list of tabs shows has changed. */
  readonly onChange: () => void;
}

/** A page of a browser that viewers may see and control. */
export class LivePage implements Disposable {
  readonly screencast: Screencast;
  readonly #environment: PageEnvironment;
  #info: TargetInfo;
  #sessionId: string | undefined;
  #dialog: Dialog | null = null;
  #fileChooser: FileChooser | undefined;
  #lastChooserId = 0;
  #isTouch = false;
  #isControlled = false;
  #isOver = false;

  constructor(environment: PageEnvironment, info: TargetInfo) {
    this.#environment = environment;
    this.#info = info;
    this.screencast = new Screencast({
      ...environment,
      post: (command) => this.post(command),
      onHanging: (isHanging) => this.#tellHanging({ isHanging }),
    });
  }

  get info(): TargetInfo {
    return this.#info;
  }

  get id(): string {
    return this.#info.targetId;
  }

  /** Id of the attached session; undefined before it. */
  get sessionId(): string | undefined {
    return this.#sessionId;
  }

  get dialog(): Dialog | null {
    return this.#dialog;
  }

  get isTouch(): boolean {
    return this.#isTouch;
  }

  /** Replaces what is known of the page. */
  update(info: TargetInfo): void {
    this.#info = info;
    this.#environment.onChange();
  }

  /**
   * Attaches to the page. Dialogs are seen only from then on, so that every page is attached as soon as it opens. Never
   * rejects.
   */
  async attach(): Promise<void> {
    const { link } = this.#environment;
    try {
      const { sessionId } = await link.call({
        method: "Target.attachToTarget",
        params: { targetId: this.id, flatten: true },
        result: z.object({ sessionId: z.string() }),
      });
      this.#sessionId = sessionId;
    } catch {
      // The page is gone, or hangs.
      return;
    }
    if (this.#isOver) return;
    this.post({ method: "Page.enable" });
    if (this.#isControlled) this.#interceptFileChooser();
    this.screencast.restart();
  }

  /** Sends a command to the page, once it is attached. */
  post(command: BrowserCommand): void {
    const sessionId = this.#sessionId;
    if (sessionId === undefined || this.#isOver) return;
    this.#environment.link.post({ ...command, sessionId });
  }

  /** Handles an event of the page. */
  receive({ method, params }: BrowserEvent): void {
    switch (method) {
      case "Page.screencastFrame":
        return this.screencast.receiveFrame(params);
      case "Page.screencastVisibilityChanged":
        this.screencast.setVisible(pageEvents.visibilityChanged.parse(params));
        return this.#environment.onChange();
      case "Page.frameNavigated":
        return this.#expectPicture(params);
      case "Page.javascriptDialogOpening":
        return this.#openDialog(params);
      case "Page.javascriptDialogClosed":
        return this.#setDialog(null);
      case "Page.fileChooserOpened":
        return void this.#openFileChooser(params).catch(() => {});
      case "Page.downloadWillBegin":
        return this.#tellDownload(params);
      case "Inspector.targetCrashed":
        return this.tellCrashed();
    }
  }

  /** Begins or ends the control by a person: only then file choosers are taken from the page. */
  setControlled({ isControlled }: { readonly isControlled: boolean }): void {
    if (isControlled === this.#isControlled) return;
    this.#isControlled = isControlled;
    this.#interceptFileChooser();
    if (isControlled) void this.#findTouch().catch(() => {});
  }

  /** Answers the open dialog. */
  answerDialog(accept: boolean, text: string | undefined): void {
    if (!this.#dialog) return;
    this.post({
      method: "Page.handleJavaScriptDialog",
      params: { accept, ...text === undefined ? {} : { promptText: text } },
    });
  }

  /** Returns the drop-down list at a position, if there is one. @throws {Error} The page does not respond. */
  async findSelect(x: number, y: number): Promise<OpenSelect | null> {
    return await this.#world().call({
      source: FIND_SELECT,
      args: [x, y],
      result: selectSchema,
    });
  }

  /** Chooses an option of the open drop-down list. @param index Its index; null closes the list. */
  chooseOption(select: OpenSelect, index: number | null): void {
    for (const command of createChoice(select, index)) this.post(command);
  }

  /** Returns the selected text. @throws {Error} The page does not respond. */
  async readSelection(): Promise<string> {
    return await this.#world().call({
      source: READ_SELECTION,
      result: z.string().max(MAX_COPIED),
    });
  }

  /** Gives files to the page's file chooser. No file cancels it. @throws {Error} The chooser is gone. */
  async chooseFiles(id: number, files: readonly ViewerFile[]): Promise<void> {
    const chooser = this.#fileChooser;
    if (chooser?.id !== id) throw new Error("the file chooser is closed");
    this.#fileChooser = undefined;
    await chooser.choose(files);
  }

  /** Goes back or forward by one entry of the page's history. @throws {Error} The page does not respond. */
  async go(delta: -1 | 1): Promise<void> {
    const { currentIndex, entries } = await this.#environment.link.call({
      method: "Page.getNavigationHistory",
      sessionId: this.#sessionId,
      result: z.object({
        currentIndex: z.int(),
        entries: z.array(z.object({ id: z.int() })),
      }),
    });
    const entry = entries[currentIndex + delta];
    if (!entry) return;
    this.post({
      method: "Page.navigateToHistoryEntry",
      params: { entryId: entry.id },
    });
  }

  /** Tells the viewers that the page has crashed. */
  tellCrashed(): void {
    this.#tell({
      type: "notice",
      code: "page_crashed",
      message: "This page has crashed.",
    });
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.screencast[Symbol.dispose]();
  }

  #tell(message: LiveMessage): void {
    this.#environment.tell(this, message);
  }

  #expectPicture(params: unknown): void {
    const { frame } = pageEvents.frameNavigated.parse(params);
    if (frame.parentId === undefined) this.screencast.expectPicture();
  }

  #openDialog(params: unknown): void {
    const { type, message, defaultPrompt, url } = pageEvents.dialogOpening
      .parse(params);
    this.#setDialog({ kind: type, message, default_text: defaultPrompt, url });
  }

  #setDialog(dialog: Dialog | null): void {
    this.#dialog = dialog;
    this.#tell({ type: "dialog", dialog });
  }

  async #openFileChooser(params: unknown): Promise<void> {
    const sessionId = this.#sessionId;
    const { backendNodeId, frameId, mode } = pageEvents.fileChooserOpened
      .parse(params);
    const isUsable = backendNodeId !== undefined && sessionId !== undefined;
    if (!isUsable || !this.#isControlled) return;
    const chooser = new FileChooser(this.#environment.link, {
      id: ++this.#lastChooserId,
      sessionId,
      backendNodeId,
      frameId,
    });
    this.#fileChooser = chooser;
    this.#tell({
      type: "file_chooser",
      id: chooser.id,
      is_multiple: mode === "selectMultiple",
      accept: await chooser.readAccept().catch(() => ""),
    });
  }

  #interceptFileChooser(): void {
    this.#fileChooser = undefined;
    this.post({
      method: "Page.setInterceptFileChooserDialog",
      params: { enabled: this.#isControlled },
    });
  }

  async #findTouch(): Promise<void> {
    const isTouch = await this.#world().call({
      source: IS_TOUCH,
      result: z.boolean(),
    });
    if (isTouch === this.#isTouch) return;
    this.#isTouch = isTouch;
    this.#environment.onChange();
  }

  #world(): IsolatedWorld {
    const sessionId = this.#sessionId;
    if (sessionId === undefined) throw new Error("the page is not attached");
    return new IsolatedWorld(this.#environment.link, sessionId);
  }

  #tellHanging({ isHanging }: { readonly isHanging: boolean }): void {
    // An open dialog stops the page, and is shown itself.
    if (isHanging && this.#dialog) return;
    this.#tell({
      type: "notice",
      code: isHanging ? "page_hangs" : "page_responds",
      message: isHanging
        ? "This page does not respond: its scripts run, or it shows a dialog that opened before the live view."
        : "This page responds again.",
    });
  }

  #tellDownload(params: unknown): void {
    const { suggestedFilename } = pageEvents.downloadWillBegin.parse(params);
    this.#tell({
      type: "notice",
      code: "download_started",
      message: `The page downloads "${suggestedFilename.slice(0, 200)}".`,
    });
  }
}
