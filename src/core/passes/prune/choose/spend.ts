/**
 * How many units each layer loses so that `total` go and the sum of what that costs is least. costs[l][j] is what removing j + 1 of
 * layer l costs; each layer loses at most as many as it has costs for. Dynamic programming: exact.
 * throws RangeError where fewer can go than should
 */
export function spend(costs: readonly (readonly number[])[], total: number): number[] {
  let least = new Float64Array(total + 1).fill(Infinity);
  least[0] = 0;
  const chosen: Int32Array[] = [];
  for (const layer of costs) {
    const next = new Float64Array(total + 1).fill(Infinity);
    const choice = new Int32Array(total + 1);
    for (let count = 0; count <= layer.length; count++) {
      const cost = count === 0 ? 0 : layer[count - 1]!;
      for (let spent = count; spent <= total; spent++) {
        const sum = least[spent - count]! + cost;
        if (sum < next[spent]!) {
          next[spent] = sum;
          choice[spent] = count;
        }
      }
    }
    least = next;
    chosen.push(choice);
  }
  if (least[total] === Infinity) throw new RangeError(`${total} units cannot go`);
  const counts: number[] = [];
  for (let layer = costs.length - 1, left = total; layer >= 0; layer--) {
    const count = chosen[layer]![left]!;
    counts[layer] = count;
    left -= count;
  }
  return counts;
}
