/** Sets an entry as the most recently used one of a map, and deletes the least recently used if there are more than `max`. */
export function lruTouch<K, V>(
  map: Map<K, V>,
  [key, value]: readonly [K, V],
  max: number,
): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.size > max ? map.keys() : [];
  if (oldest !== undefined) map.delete(oldest);
}
