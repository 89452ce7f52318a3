// A shorter word is part of too many others.
const minPartLength = 3;

/** The known word that a misspelt or shortened one most likely means; undefined where none is close enough. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  const ranked = words
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ distance }) => distance < Number.POSITIVE_INFINITY)
    .sort((a, b) => a.distance - b.distance);
  const misspelt = ranked.find(({ distance }) => distance <= Math.max(2, word.length / 2));
  const shortened = ranked.find(
    ({ candidate }) => word.length >= minPartLength && candidate.toLowerCase().includes(word.toLowerCase()),
  );
  return (misspelt ?? shortened)?.candidate;
}

/** The end of a message about an unknown word: `, did you mean X?`, or nothing where no known word is close. */
export function didYouMean(word: string, words: readonly string[]): string {
  const guess = nearest(word, words);
  return guess ? `, did you mean ${guess}?` : '';
}

/** Levenshtein distance, one row at a time. Infinite for words longer than 64 characters, which bounds the work. */
function editDistance(a: string, b: string): number {
  if (Math.max(a.length, b.length) > 64) return Number.POSITIVE_INFINITY;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      const [left, above, diagonal] = [next[j] ?? 0, row[j + 1] ?? 0, row[j] ?? 0];
      next.push(Math.min(left + 1, above + 1, diagonal + (letter === other ? 0 : 1)));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
