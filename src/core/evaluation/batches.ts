/**
 * Places in batches of texts of like length, so that little is padding: the longest first, so that memory is known from the start.
 * Every place occurs once; whoever runs the batches stores results by place, which restores the order.
 */
export function batches(lengths: readonly number[], size: number): number[][] {
  const order = lengths.map((_, index) => index).sort((a, b) => lengths[b]! - lengths[a]! || a - b);
  const found: number[][] = [];
  for (let start = 0; start < order.length; start += size) found.push(order.slice(start, start + size));
  return found;
}
