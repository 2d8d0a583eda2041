/** Maximum length of the name of a container group. */
const MAX_LENGTH = 63;

/** Length of the random end of a name. */
const RANDOM_LENGTH = 6;

/** Returns a new name for the group of a session. Azure counts names that several regions use as fraud. */
export function createSessionGroupName(sessionId: string): string {
  const end = crypto.randomUUID().slice(0, RANDOM_LENGTH);
  const start = toName(`browsergrid-${sessionId}`);
  return `${start.slice(0, MAX_LENGTH - RANDOM_LENGTH - 1)}-${end}`
    .replaceAll(/-+/g, "-");
}

/** Returns the name for the group of a worker, always the same, so that a repetition creates no second one. */
export function toMachineGroupName(workerId: string): string {
  return toName(`browsergrid-worker-${workerId}`);
}

function toName(text: string): string {
  return text.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, MAX_LENGTH).replace(/-$/, "");
}
