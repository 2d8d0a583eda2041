import { useEffect, useState } from "preact/hooks";
import { describeError } from "../api/describe_error.ts";

/** A value that is loaded once. */
export interface Loaded<T> {
  readonly value: T | undefined;
  readonly error: string | undefined;
}

/** Loads a value once for the page, such as the schema and the record of a form: a form that is being filled in must not change. */
export function useOnce<T>(load: () => Promise<T>): Loaded<T> {
  const [state, setState] = useState<Loaded<T>>({
    value: undefined,
    error: undefined,
  });
  useEffect(() => {
    let isShown = true;
    load().then(
      (value) => isShown && setState({ value, error: undefined }),
      (cause) =>
        isShown && setState({ value: undefined, error: describeError(cause) }),
    );
    return () => void (isShown = false);
  }, []);
  return state;
}
