/** Ways to cut a site: how many units go, what that saves and what it costs, each ascending from 0. */
export interface Choices {
  readonly counts: readonly number[];
  readonly gains: readonly number[];
  readonly costs: readonly number[];
}

/** Parts that what is to be saved is counted in. */
const parts = 4096;

/**
 * Which way to cut each site, so that `target` is saved at least and the sum of the costs is least: dynamic programming over parts of
 * what is to be saved, each saving rounded up, off and down; the cheapest that saves enough, and what it saves too much is given back,
 * the dearest first.
 * throws RangeError where so much cannot be saved
 */
export function allocate(choices: readonly Choices[], target: number): number[] {
  const all = choices.map(({ gains }) => gains.length - 1);
  const most = saved(choices, all);
  if (most < target) throw new RangeError(`${target} cannot be saved, ${most} can`);
  if (target <= 0) return choices.map(() => 0);
  let best = { picked: all, cost: costOf(choices, all) };
  for (const rounding of [Math.ceil, Math.round, Math.floor]) {
    const found = leastOf(choices, target, rounding);
    if (!found || saved(choices, found) < target) continue;
    const picked = givenBack(choices, found, target);
    const cost = costOf(choices, picked);
    if (cost < best.cost) best = { picked, cost };
  }
  return best.picked;
}

export const saved = (choices: readonly Choices[], picked: readonly number[]): number =>
  choices.reduce((sum, { gains }, site) => sum + gains[picked[site]!]!, 0);

const costOf = (choices: readonly Choices[], picked: readonly number[]): number =>
  choices.reduce((sum, { costs }, site) => sum + costs[picked[site]!]!, 0);

function leastOf(choices: readonly Choices[], target: number, rounding: (parts: number) => number): number[] | undefined {
  let least = new Float64Array(parts + 1).fill(Infinity);
  least[0] = 0;
  const chosen: Int32Array[] = [];
  for (const { gains, costs } of choices) {
    const next = new Float64Array(parts + 1).fill(Infinity);
    const from = new Int32Array(parts + 1);
    const choice = new Int32Array(parts + 1);
    for (const [k, gain] of gains.entries()) {
      const step = rounding((gain / target) * parts);
      for (let before = 0; before <= parts; before++) {
        const sum = least[before]! + costs[k]!;
        const at = Math.min(parts, before + step);
        if (sum >= next[at]!) continue;
        next[at] = sum;
        choice[at] = k;
        from[at] = before;
      }
    }
    least = next;
    chosen.push(choice, from);
  }
  if (least[parts] === Infinity) return undefined;
  const picked: number[] = [];
  for (let site = choices.length - 1, at = parts; site >= 0; site--) {
    picked[site] = chosen[2 * site]![at]!;
    at = chosen[2 * site + 1]![at]!;
  }
  return picked;
}

/** One step back at a time, where the target allows it: that with the most cost. */
function givenBack(choices: readonly Choices[], picked: readonly number[], target: number): number[] {
  const found = [...picked];
  for (;;) {
    const spare = saved(choices, found) - target;
    let [best, most] = [-1, -1];
    for (const [site, { gains, costs }] of choices.entries()) {
      const k = found[site]!;
      if (k === 0 || gains[k]! - gains[k - 1]! > spare) continue;
      const cost = costs[k]! - costs[k - 1]!;
      if (cost > most) [best, most] = [site, cost];
    }
    if (best < 0) return found;
    found[best]!--;
  }
}

/** The same share of each site's units, the least that saves `target`, but for what can be given back. throws RangeError */
export function evenly(choices: readonly Choices[], units: readonly number[], target: number): number[] {
  const most = choices.map(({ gains }) => gains.length - 1);
  if (saved(choices, most) < target) throw new RangeError(`${target} cannot be saved, ${saved(choices, most)} can`);
  const at = (share: number) =>
    choices.map(({ counts }, site) => counts.findLastIndex(count => count <= Math.round(share * units[site]!)));
  let [low, high] = [0, 1];
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (saved(choices, at(middle)) >= target) high = middle;
    else low = middle;
  }
  return givenBack(choices, at(high), target);
}

/** As many of each site as half-way between two picks, and as much more as `target` takes. */
export function mean(choices: readonly Choices[], a: readonly number[], b: readonly number[], target: number): number[] {
  const found = choices.map((_, site) => Math.ceil((a[site]! + b[site]!) / 2));
  for (let site = 0; saved(choices, found) < target; site = (site + 1) % choices.length)
    found[site] = Math.min(choices[site]!.gains.length - 1, found[site]! + 1);
  return givenBack(choices, found, target);
}
