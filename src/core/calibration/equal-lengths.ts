/**
 * Places of texts in batches of one length each, so that no batch has padding: every row of an activation is a real token.
 * At most `maxTokens` tokens in a batch, one text at least. Short ones first; the order within a length is the given one.
 */
export function equalLengths(lengths: readonly number[], maxTokens: number): number[][] {
  const byLength = new Map<number, number[]>();
  for (const [place, length] of lengths.entries()) {
    const places = byLength.get(length);
    if (places) places.push(place);
    else byLength.set(length, [place]);
  }
  const batches: number[][] = [];
  for (const [length, places] of [...byLength].sort((a, b) => a[0] - b[0])) {
    const size = Math.max(1, Math.floor(maxTokens / Math.max(1, length)));
    for (let start = 0; start < places.length; start += size) batches.push(places.slice(start, start + size));
  }
  return batches;
}
