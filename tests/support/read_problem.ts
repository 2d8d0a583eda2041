import type { Problem } from "../../src/http/problem_response.ts";
import { type RawClient, readBytes } from "./raw_client.ts";

/** The problem with which a client's upgrade was refused. */
export async function readProblem(
  { head, rest, socket }: RawClient,
): Promise<Problem> {
  const [, length = 0] = /content-length: (\d+)/i.exec(head) ?? [];
  const missing = Number(length) - rest.length;
  const more = missing > 0 ? await readBytes(socket, missing) : [];
  return JSON.parse(
    new TextDecoder().decode(new Uint8Array([...rest, ...more])),
  );
}
