import { wideningId } from '../anatomy/ids.ts';
import { taps as tapsOf } from '../anatomy/taps.ts';
import { fail } from '../errors.ts';
import type { FloatFeed, Values } from '../evaluation/runtime.ts';
import type { Node, ValueInfo } from '../model/graph.ts';
import { newNode, withInputs } from '../model/graph-edit.ts';
import { type TextBatch, textBatches } from './batches.ts';
import type { Gated, TextVectors } from './calibration.ts';
import { loadPiece, type Piece } from './runner.ts';
import type { CalibrationSource, GraphBody } from './source.ts';

/** The whole model with `edits` performed, on `texts` texts from the `first` one. */
export async function vectorsOf<E>(
  source: CalibrationSource<E>,
  edits: readonly E[],
  texts?: number,
  first?: number,
): Promise<TextVectors> {
  const whole = await load(source, await source.edited(edits), [], texts, first);
  try {
    return await whole.run(new Map());
  } finally {
    await whole.close();
  }
}

/** The model as it is, with a gate in front of each of the linears named. */
export async function gatedModel<E>(source: CalibrationSource<E>, linears: readonly string[], texts?: number): Promise<Gated> {
  const body = await source.edited([]);
  const { linearInput } = tapsOf(body.model, body.anatomy);
  const gates = linears.map(id => {
    const value = linearInput.get(id);
    if (value === undefined)
      throw fail('unsupported', 'The graph does not show the input of “{organ}”.', { organ: id }, { file: source.name });
    return { id, value, gate: `gate/${id}`, gated: `gated/${id}`, width: widthOf(body, id) };
  });
  const whole = await load(source, withGates(body, gates), gates, texts);
  return {
    run: given => {
      const fed = new Map<string, FloatFeed>();
      for (const { id, gate, width } of gates)
        fed.set(gate, { floats: given.get(id) ?? new Float32Array(width).fill(1), shape: [width] });
      return whole.run(fed);
    },
    close: () => whole.close(),
  };
}

interface Gate {
  readonly value: string;
  readonly gate: string;
  readonly gated: string;
  readonly width: number;
}

const widthOf = ({ anatomy }: GraphBody, id: string): number => {
  const linear = anatomy.layers.flatMap(layer => [layer.output, layer.down]).find(each => each.id === id);
  if (!linear) throw new RangeError(`gates stand before attention outputs and second feed-forward matrices, not before ${id}`);
  return linear.in;
};

/** Who reads a gated value reads it behind its gate. */
function withGates({ model, anatomy }: GraphBody, gates: readonly Gate[]): GraphBody {
  const gatedAs = new Map(gates.map(({ value, gated }) => [value, gated]));
  const made = new Map(gates.map(each => [each.value, newNode('Mul', [each.value, each.gate], [each.gated])]));
  const nodes: Node[] = [];
  for (const node of model.graph.nodes) {
    const reads = node.inputs.some(name => gatedAs.has(name));
    nodes.push(
      reads
        ? withInputs(
            node,
            node.inputs.map(name => gatedAs.get(name) ?? name),
          )
        : node,
    );
    for (const output of node.outputs) {
      const mul = made.get(output);
      if (mul) nodes.push(mul);
    }
  }
  return { model: { ...model, graph: { ...model.graph, nodes } }, anatomy };
}

interface Whole {
  run(gates: ReadonlyMap<string, FloatFeed>): Promise<TextVectors>;
  close(): Promise<void>;
}

/** The model from its embeddings up; embeddings that no edit touched are computed once. */
async function load<E>(
  source: CalibrationSource<E>,
  body: GraphBody,
  gates: readonly Gate[],
  texts?: number,
  first?: number,
): Promise<Whole> {
  const { layers, linearOutput } = tapsOf(body.model, body.anatomy);
  // Of a model with fewer hidden dimensions what it gives to others.
  const last = linearOutput.get(wideningId) ?? layers.at(-1)?.output;
  if (last === undefined)
    throw fail('unsupported', 'The graph does not show what its last layer gives.', {}, { file: source.name });
  const logits = body.model.graph.outputs.find(({ name }) => /logits/i.test(name))?.name;
  const batches = textBatches(source, texts, first);
  const from: ValueInfo[] = gates.map(({ gate, width }) => ({ name: gate, dtype: 'fp32', shape: [width] }));
  const piece = await loadPiece(source, body, from, logits === undefined ? [last] : [last, logits]);
  return { run: fed => runAll(piece, batches, fed, last, logits), close: () => piece.close() };
}

async function runAll(
  piece: Piece,
  batches: readonly TextBatch[],
  gates: ReadonlyMap<string, FloatFeed>,
  last: string,
  logits: string | undefined,
): Promise<TextVectors> {
  const texts = batches.reduce((sum, { places }) => sum + places.length, 0);
  let [pooled, predicted]: (Float32Array | undefined)[] = [];
  let [width, classes] = [0, 0];
  for (const { places, length, feeds } of batches) {
    const results = await piece.run(feeds, gates);
    const hidden = results.get(last)!;
    width = hidden.data.length / (places.length * length);
    pooled ??= new Float32Array(texts * width);
    for (const [b, place] of places.entries()) poolInto(pooled, place, hidden, b * length, length, width);
    const found = logits === undefined ? undefined : results.get(logits)!;
    // A row for each text; predictions for each token say nothing about the whole.
    if (found?.shape.length !== 2 || found.shape[0] !== places.length || (classes > 0 && found.shape[1] !== classes)) continue;
    classes = found.shape[1]!;
    predicted ??= new Float32Array(texts * classes);
    for (const [b, place] of places.entries())
      predicted.set(found.data.subarray(b * classes, (b + 1) * classes), place * classes);
  }
  return { pooled: pooled ?? new Float32Array(0), width, logits: predicted, classes };
}

function poolInto(into: Float32Array, place: number, { data }: Values, firstRow: number, rows: number, width: number): void {
  const sums = new Float64Array(width);
  for (let row = firstRow; row < firstRow + rows; row++) for (let i = 0; i < width; i++) sums[i]! += data[row * width + i]!;
  for (let i = 0; i < width; i++) into[place * width + i] = sums[i]! / rows;
}
