/** Maximum length of a pod's name, which is also the host name in it. */
const MAX_NAME = 63;

/** Returns a part of a name in which every character that names cannot have is a hyphen. */
function toNamePart(text: string, length: number): string {
  return text.toLowerCase().replaceAll(/[^a-z0-9-]/g, "-").slice(0, length);
}

/** Returns a new name for a pod of a session. */
export function createPodName(sessionId: string): string {
  const end = `-${crypto.randomUUID().slice(0, 4)}`;
  const start = `browsergrid-${toNamePart(sessionId, MAX_NAME)}`;
  return `${start.slice(0, MAX_NAME - end.length)}${end}`;
}

/** Returns the name of a worker's pod, the same for each start, so that a repetition starts no second one. */
export function toMachineName(workerId: string): string {
  return `browsergrid-worker-${toNamePart(workerId, 44)}`;
}
