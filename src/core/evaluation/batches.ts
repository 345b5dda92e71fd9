/**
 * Places in batches of texts of like length, so that little is padding: the longest first, so that memory is known from the start.
 * Every place occurs once; whoever runs the batches stores results by place, which restores the order.
 * mostTokens  of a batch, padding included; a text that is longer alone is a batch of its own
 */
export function batches(lengths: readonly number[], size: number, mostTokens = Number.POSITIVE_INFINITY): number[][] {
  const order = lengths.map((_, index) => index).sort((a, b) => lengths[b]! - lengths[a]! || a - b);
  const found: number[][] = [];
  for (let start = 0; start < order.length; ) {
    const fitting = Math.floor(mostTokens / Math.max(1, lengths[order[start]!]!));
    const end = start + Math.max(1, Math.min(size, fitting));
    found.push(order.slice(start, end));
    start = end;
  }
  return found;
}
