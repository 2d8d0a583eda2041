import type { HeartbeatResponse } from "../../client/client.ts";
import type { RunningBrowser } from "../../core/provider.ts";
import { LogSender, type LogSenderOptions } from "./log_sender.ts";

/** Options of {@linkcode FollowedLogs}. */
export interface FollowedLogsOptions
  extends Pick<LogSenderOptions, "client" | "proof" | "clock"> {
  /** Returns the browser of a held session; undefined if none runs under this token. */
  readonly findBrowser: (
    sessionId: string,
    fencingToken: number,
  ) => RunningBrowser | undefined;
}

/** Sends the output of the sessions that clients follow. Nothing is read or sent for any other session. */
export class FollowedLogs implements AsyncDisposable {
  readonly #options: FollowedLogsOptions;
  readonly #senders = new Map<string, LogSender>();

  constructor(options: FollowedLogsOptions) {
    this.#options = options;
  }

  /** Begins to send the output of these sessions, and stops to send the output of all others. */
  follow(followed: NonNullable<HeartbeatResponse["followed"]>): void {
    const tokens = new Map(
      followed.map((each) => [each.session_id, each.fencing_token]),
    );
    for (const [id, sender] of this.#senders) {
      if (tokens.get(id) !== sender.fencingToken) sender.stop();
    }
    for (const [id, fencingToken] of tokens) {
      if (this.#senders.get(id)?.fencingToken === fencingToken) continue;
      const browser = this.#options.findBrowser(id, fencingToken);
      if (browser) this.#start(id, browser, fencingToken);
    }
  }

  /** Sends the rest of a session's output, before its browser is removed. Never rejects, and takes a second at most. */
  async finish(sessionId: string): Promise<void> {
    await this.#senders.get(sessionId)?.finish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const senders = [...this.#senders.values()];
    for (const each of senders) each.stop();
    await Promise.all(senders.map(({ ended }) => ended));
  }

  #start(id: string, browser: RunningBrowser, fencingToken: number): void {
    const { client, proof, clock } = this.#options;
    const sender = new LogSender({
      client,
      proof,
      clock,
      fencingToken,
      browser,
    });
    this.#senders.set(id, sender);
    void sender.ended.then(() => {
      if (this.#senders.get(id) === sender) this.#senders.delete(id);
    });
  }
}
