import { type Anatomy, type Layer, linearsIn } from '../../anatomy/anatomy.ts';

/**
 * The numbers that layers had before others were removed, where names of tensors still tell them. undefined where they do not, or
 * where they are 0, 1, 2, …, which is how a renumbered model looks as well.
 */
export function numbersKept({ layers }: Anatomy): number[] | undefined {
  const numbers = layers.map(numberOf);
  const rises = numbers.every((number, index) => number !== undefined && (index === 0 || number > numbers[index - 1]!));
  return rises && numbers.some((number, index) => number !== index) ? (numbers as number[]) : undefined;
}

function numberOf(layer: Layer): number | undefined {
  for (const { weight, bias } of linearsIn(layer))
    for (const tensor of [weight, bias]) {
      const match = tensor?.name.match(/(?:layers?|layer_groups|block|h)[./_](\d{1,3})[./_]/);
      if (match) return Number(match[1]);
    }
  return undefined;
}

/**
 * Where each of the fewer layers stands among the more, by the numbers that both have kept: 0, 1, 2, … where the more have kept none.
 * undefined where a number is not among them.
 */
export function byNumber(kept: readonly number[] | undefined, among: readonly number[]): number[] | undefined {
  const found = kept?.map(number => among.indexOf(number));
  return found?.every(place => place >= 0) ? found : undefined;
}

/**
 * A column for each row, rising from row to row, so that the sum of similarities is the largest: dynamic programming. Rows are no
 * more than columns. Of equal sums the one whose columns come first.
 */
export function monotoneMatch(similarity: readonly (readonly number[])[]): number[] {
  const [rows, columns] = [similarity.length, similarity[0]?.length ?? 0];
  // best[r][c]: the most that rows from r on reach with columns from c on.
  const best = Array.from({ length: rows + 1 }, (_, r) =>
    new Float64Array(columns + 1).fill(r === rows ? 0 : Number.NEGATIVE_INFINITY),
  );
  for (let r = rows - 1; r >= 0; r--)
    for (let c = columns - 1; c >= 0; c--)
      best[r]![c] = Math.max(best[r]![c + 1]!, (similarity[r]![c] || 0) + best[r + 1]![c + 1]!);
  const found: number[] = [];
  for (let c = 0; c < columns && found.length < rows; c++) {
    const r = found.length;
    if (best[r]![c] !== best[r]![c + 1] || columns - c === rows - r) found.push(c);
  }
  return found;
}
