import { ApiError } from "../../../client/client.ts";

/** Returns the sentence that tells a visitor why a request has failed. */
export function describeError(error: unknown): string {
  if (!(error instanceof ApiError)) {
    return `The page has a fault: ${
      error instanceof Error ? error.message : String(error)
    }`;
  }
  switch (error.code) {
    case "forbidden":
      return `Your key may not do this. ${error.message}.`;
    case "unreachable":
      return "The server does not respond. Check that it runs and that this machine reaches it.";
    case "timeout":
      return "The server did not respond in time.";
    default:
      return `${error.message}.`;
  }
}
