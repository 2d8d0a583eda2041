/** Puts an entry last into a map that is ordered by use, and drops the one that was used longest ago if it holds more than `most`. */
export function lruTouch<K, V>(
  map: Map<K, V>,
  [key, value]: readonly [K, V],
  most: number,
): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.size > most ? map.keys() : [];
  if (oldest !== undefined) map.delete(oldest);
}
