/** A stream that a worker has dialled back. */
export interface DialledStream {
  readonly workerId: string;
  readonly streamId: string;
}

/** Returns the purpose of the proof of a server that forwards a stream to the one that waits for it. */
export function handoverPurpose({ workerId, streamId }: DialledStream): string {
  return `handover ${workerId} ${streamId}`;
}
