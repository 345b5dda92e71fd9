import type { Anatomy } from '../../anatomy/anatomy.ts';
import { linearsIn } from '../../anatomy/anatomy.ts';
import { fail } from '../../errors.ts';
import type { Edit, PassContext, Plan } from '../pass.ts';
import { type Choice, exactKnapsack, knapsack } from './knapsack.ts';
import { measureParts } from './sensitivity.ts';

/** What names and nodes of one matrix add to a file, at most, where the file's own size is not known. */
const ORGAN_BYTES = 600;

/** Names and nodes differ by bytes between widths: the budget is drawn in by what is too much, at most so often. */
const MOST_TRIES = 4;

/** Even bits stay for less: layers make up for each other when they are rounded, which is not measured. */
const WORTH_IT = 0.95;

/** Widths to choose from. */
export interface Widths {
  readonly layers: readonly number[];
  readonly tables: readonly number[];
}

export interface ChosenBits {
  readonly layers: readonly number[];
  readonly tables: number;
}

/**
 * What a bit more is worth before anything is measured: the error halves, its square is a quarter, and a table does as much harm as
 * one layer. all-MiniLM-L6-v2, 1 - cosine: 0.0015 for each layer at 4 bits by GPTQ, 0.0015 for the table at 4.
 */
const expected = (bits: number): number => 4 ** -bits;

/** The plan with these bits in the layers and these in the tables. */
export type PlanOf = (bits: readonly number[], tables: number) => Plan;

/**
 * Bits for each layer and for the tables, so that the file has at most `budget` bytes. How many bytes go where between tables and
 * layers, and how many layers get which width, follows from what is expected: sizes are known without text. Which layers those are is
 * measured: each is stored with 2 to 4 bits by itself, the drift of the sentence vectors is its cost, and a knapsack of the same bytes
 * chooses. In a dry run no text is read, and it is a guess.
 * source   Q-BERT's mixed precision, with runs in place of the Hessian's eigenvalues
 */
export async function chooseBits(
  anatomy: Anatomy,
  context: PassContext,
  widths: Widths,
  budget: number,
  planOf: PlanOf,
): Promise<ChosenBits> {
  const all: Ways[] = [];
  for (const tables of widths.tables) all.push(await waysWith(anatomy, context, widths.layers, tables, planOf));
  const bitsOf = (ways: Ways, choices: readonly number[]): ChosenBits => {
    const byStored = new Map(ways.layers.map((layer, i) => [layer, widths.layers[choices[i]!]!]));
    return { layers: anatomy.layers.map(({ stored }) => byStored.get(stored)!), tables: ways.tables };
  };
  const excess = async ({ layers, tables }: ChosenBits): Promise<number> =>
    context.sizeOf ? (await context.sizeOf(planOf(layers, tables))) - budget : 0;
  let room = budget;
  let found = cheapest(all, room);
  for (let tries = 0; found && tries < MOST_TRIES; tries++) {
    const over = await excess(bitsOf(found.ways, found.chosen.choices));
    if (over <= 0) break;
    room -= over;
    found = cheapest(all, room);
  }
  if (!found) throw tooSmall(budget, Math.min(...all.map(leastOf)), context.model.name);
  const { ways, chosen } = found;
  const guess = bitsOf(ways, chosen.choices);
  if (context.dryRun) return guess;
  const costs = await measured(ways, context, widths.layers);
  const items = ways.items.map((choices, i) => choices.map(({ bytes }, at) => ({ bytes, cost: costs[i]![at]! })));
  const better = exactKnapsack(items, chosen.bytes);
  const guessed = chosen.choices.reduce((sum, at, i) => sum + items[i]![at]!.cost, 0);
  if (!better || better.cost > WORTH_IT * guessed) return guess;
  const bits = bitsOf(ways, better.choices);
  return (await excess(bits)) <= 0 ? bits : guess;
}

/** The widths of which least is expected to be lost. */
function cheapest(all: readonly Ways[], budget: number) {
  const fitting = all.flatMap(ways => {
    const chosen = knapsack(ways.items, budget - ways.fixed);
    return chosen ? [{ ways, chosen, cost: chosen.cost + expected(ways.tables) }] : [];
  });
  const [first, ...others] = fitting;
  return first && others.reduce((a, b) => (b.cost < a.cost ? b : a), first);
}

/** What there is to choose with one width of tables. */
interface Ways {
  readonly tables: number;
  /** Bytes of the file without the layers that have weights of their own. */
  readonly fixed: number;
  /** Layers with weights of their own, and for each width the bytes and what is expected of it. */
  readonly layers: readonly number[];
  readonly items: readonly (readonly Choice[])[];
  /** The edits of a layer, by its place in `layers`, with one of the widths. */
  editsOf(layer: number, width: number): readonly Edit[];
}

async function waysWith(
  { layers }: Anatomy,
  { model, sizeOf }: PassContext,
  widths: readonly number[],
  tables: number,
  planOf: PlanOf,
): Promise<Ways> {
  const plans = widths.map(bits =>
    planOf(
      layers.map(() => bits),
      tables,
    ),
  );
  const own = layers.filter(({ index, stored }) => stored === index);
  const ids = own.map(layer => new Set(linearsIn(layer).map(({ id }) => id)));
  const isIn = (edit: Edit, layer: number) => 'target' in edit && ids[layer]!.has(edit.target.id);
  const editsOf = (layer: number, width: number) => plans[width]!.edits.filter(edit => isIn(edit, layer));
  const [first] = plans as [Plan];
  const inside = first.edits.filter(edit => ids.some((_, layer) => isIn(edit, layer)));
  const whole = sizeOf
    ? await sizeOf(first)
    : model.byteLength + newBytes(first.edits) - oldBytes(first.edits) + ORGAN_BYTES * first.edits.length;
  return {
    tables,
    fixed: whole - newBytes(inside),
    layers: own.map(({ index }) => index),
    items: own.map((_, layer) => widths.map((bits, at) => ({ bytes: newBytes(editsOf(layer, at)), cost: expected(bits) }))),
    editsOf,
  };
}

const leastOf = ({ fixed, items }: Ways): number =>
  fixed + items.reduce((sum, choices) => sum + Math.min(...choices.map(({ bytes }) => bytes)), 0);

const tooSmall = (budget: number, least: number, file: string) =>
  fail(
    'bad-recipe',
    'budget is {found} MB, and the smallest file that these options make has {least} MB.',
    { found: budget / 1e6, least: Math.ceil(least / 1e4) / 100 },
    { file },
  );

const oldBytes = (edits: readonly Edit[]): number =>
  edits.reduce((sum, edit) => {
    if (edit.kind === 'convert') return sum + [...edit.tensors.values()].reduce((bytes, it) => bytes + 2 * it.byteLength, 0);
    return sum + ('values' in edit ? edit.target.weight.byteLength : 0);
  }, 0);

const newBytes = (edits: readonly Edit[]): number =>
  edits.reduce((sum, edit) => {
    if (edit.kind === 'convert') return sum + [...edit.tensors.values()].reduce((bytes, it) => bytes + it.byteLength, 0);
    if (!('values' in edit)) return sum;
    const scale = 'scale' in edit ? edit.scale.byteLength : 0;
    const zeros = 'zeroPoint' in edit ? (edit.zeroPoint?.byteLength ?? 0) : 0;
    return sum + edit.values.byteLength + scale + zeros;
  }, 0);

/** Widths that are measured: the error of others lies between, or a quarter lower for each bit above. */
const MEASURED: readonly number[] = [2, 3, 4];

/** [layer with weights of its own][width]: the drift of that layer alone. */
async function measured(ways: Ways, context: PassContext, widths: readonly number[]): Promise<number[][]> {
  const asked = MEASURED.filter(bits => widths.includes(bits));
  const keys = ways.layers.map(layer => asked.map(bits => `encoder.layer.${layer}, ${bits}`));
  const editsOf = new Map(
    keys.flatMap((row, layer) => row.map((key, i) => [key, ways.editsOf(layer, widths.indexOf(asked[i]!))] as const)),
  );
  const costs = await measureParts(context, keys.flat(), async key => editsOf.get(key)!);
  return keys.map(row =>
    widths.map(bits =>
      costAt(
        bits,
        asked,
        row.map(key => costs.get(key)!),
      ),
    ),
  );
}

/** From the costs at widths that were asked for, ascending: a straight line of logarithms between them, 4 ** -bits beyond. */
function costAt(bits: number, asked: readonly number[], costs: readonly number[]): number {
  const above = asked.findIndex(width => width >= bits);
  if (asked[above] === bits) return costs[above]!;
  if (above <= 0) {
    const nearest = above === 0 ? 0 : asked.length - 1;
    return costs[nearest]! * 4 ** (asked[nearest]! - bits);
  }
  const share = (bits - asked[above - 1]!) / (asked[above]! - asked[above - 1]!);
  return costs[above - 1]! ** (1 - share) * costs[above]! ** share;
}
