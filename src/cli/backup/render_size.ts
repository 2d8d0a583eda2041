/** Renders a number of bytes: `812 KB`, `12.3 MB`. */
export function renderSize(bytes: number): string {
  const kilobytes = bytes / 1_024;
  return kilobytes < 1_000
    ? `${Math.ceil(kilobytes)} KB`
    : `${(kilobytes / 1_024).toFixed(1)} MB`;
}
