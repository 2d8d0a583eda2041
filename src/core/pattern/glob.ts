/** Returns a function that matches texts with a glob, in which `*` stands for any text, in linear time. */
export function compileGlob(glob: string): (text: string) => boolean {
  const [first = "", ...rest] = glob.split("*");
  const last = rest.pop();
  if (last === undefined) return (text) => text === glob;
  const searches = rest.filter((part) => part !== "").map(compileSearch);
  return function matchesGlob(text) {
    const end = text.length - last.length;
    if (end < first.length) return false;
    if (!text.startsWith(first) || !text.endsWith(last)) return false;
    let at = first.length;
    for (const search of searches) {
      at = search(text, at, end);
      if (at < 0) return false;
    }
    return true;
  };
}

/**
 * Returns a function that finds a word in a part of a text and returns the position after it, or -1. `indexOf` could take
 * time that grows with the product of the lengths.
 *
 * @see {@link https://en.wikipedia.org/wiki/Knuth%E2%80%93Morris%E2%80%93Pratt_algorithm Algorithm of Knuth, Morris and Pratt}
 */
function compileSearch(
  word: string,
): (text: string, from: number, end: number) => number {
  const borders = findBorders(word);
  return function search(text, from, end) {
    let matched = 0;
    for (let at = from; at < end; at++) {
      while (matched > 0 && text[at] !== word[matched]) {
        matched = borders[matched - 1] ?? 0;
      }
      if (text[at] === word[matched]) matched++;
      if (matched === word.length) return at + 1;
    }
    return -1;
  };
}

/** Returns the length of the longest proper start of each start of a word that is also its end. */
function findBorders(word: string): readonly number[] {
  const borders = [0];
  let length = 0;
  for (let at = 1; at < word.length; at++) {
    while (length > 0 && word[at] !== word[length]) {
      length = borders[length - 1] ?? 0;
    }
    if (word[at] === word[length]) length++;
    borders.push(length);
  }
  return borders;
}
