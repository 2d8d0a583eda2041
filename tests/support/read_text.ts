/** Returns the text of a response; the first part of an endless one, which is then closed. */
export async function readText(response: Response): Promise<string> {
  const isEndless = response.headers.get("x-accel-buffering") === "no";
  if (!isEndless || !response.body) return await response.text();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const isText = response.headers.get("content-type")?.startsWith("text/plain");
  // Followed output begins whenever the browser writes some.
  const { value = "" } = isText ? {} : await reader.read();
  await reader.cancel();
  return value;
}
