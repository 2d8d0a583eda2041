/** Control of a session, and the open request for it. */
export interface ControlState {
  readonly control: "client" | "human" | "shared";
  readonly handover: {
    readonly id: string;
    readonly reason: string;
    readonly expiresAt: number | null;
  } | null;
}

/** Control of sessions, and open requests for it. */
export interface ControlStates {
  /** Returns the states of sessions; the automation controls those that are missing. One round trip. */
  states(
    sessionIds: readonly string[],
  ): Promise<ReadonlyMap<string, ControlState>>;
  setControl(
    sessionId: string,
    control: "client" | "shared",
    by: string,
  ): Promise<void>;
  finish(
    sessionId: string,
    end: {
      readonly result: "done" | "declined";
      readonly note?: string;
      readonly by: string;
    },
  ): Promise<void>;
}
