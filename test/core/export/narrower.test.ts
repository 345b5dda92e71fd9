import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { detect } from '../../../src/core/anatomy/detect.ts';
import type { Tensor } from '../../../src/core/tensor/tensor.ts';
import { numbersOf } from '../passes/run.ts';
import { furthest, outputsOf, written } from './exported.ts';
import { fromFormula } from './formula.ts';

const truths: any[] = JSON.parse(readFileSync(join(import.meta.dirname, 'truths.json'), 'utf8'));

/** The numbers of a tensor where `keep` says so, in the given shape; made when they are read. */
function kept(
  tensor: Tensor,
  shape: readonly number[],
  keep: (row: number, column: number) => boolean,
  isZeroed: boolean,
): Tensor {
  const columns = tensor.shape[1] ?? 1;
  const values = async (): Promise<Uint8Array> => {
    const all = new Float32Array((await tensor.bytes()).slice().buffer);
    const stays = (at: number) => keep(Math.floor(at / columns), at % columns);
    const left = isZeroed ? all.map((value, at) => (stays(at) ? value : 0)) : all.filter((_, at) => stays(at));
    return new Uint8Array(left.buffer);
  };
  const sizes = isZeroed ? tensor.shape : shape;
  const byteLength = 4 * sizes.reduce((a, b) => a * b, 1);
  return { ...tensor, shape: sizes, byteLength, bytes: async (start, end) => (await values()).subarray(start, end) };
}

const HEAD = 4;
const NEURONS = 7;

/** Layer 0 without its second head, layer 1 with 7 neurons: taken out, or read by columns of zeros. */
function change(tensors: ReadonlyMap<string, Tensor>, isZeroed: boolean): Map<string, Tensor> {
  const rows = (tensor: Tensor, count: number) =>
    isZeroed ? tensor : kept(tensor, [count, ...tensor.shape.slice(1)], row => row < count, false);
  const columns = (tensor: Tensor, count: number) =>
    kept(tensor, [tensor.shape[0]!, count], (_, column) => column < count, isZeroed);
  const made = [...tensors].map(([name, tensor]) => {
    if (/layer\.0\.attention\.self\.\w+\.(weight|bias)$/.test(name)) return [name, rows(tensor, HEAD)] as const;
    if (/layer\.0\.attention\.output\.dense\.weight$/.test(name)) return [name, columns(tensor, HEAD)] as const;
    if (/layer\.1\.intermediate\.dense\.(weight|bias)$/.test(name)) return [name, rows(tensor, NEURONS)] as const;
    if (/layer\.1\.output\.dense\.weight$/.test(name)) return [name, columns(tensor, NEURONS)] as const;
    return [name, tensor] as const;
  });
  return new Map(made);
}

const cases = truths.filter(
  ({ class: name, config }) =>
    name === 'BertForMultipleChoice' ||
    (name === 'MobileBertModel' && config.intra_bottleneck_size === 8 && config.use_bottleneck !== false) ||
    (name === 'DebertaV2Model' && config.pos_att_type.length > 0),
);

for (const truth of cases)
  test(`${truth.class} with ${Object.keys(truth.config).length} settings: a layer without a head and one with fewer neurons give what zeros in their place give, within 1e-5`, async () => {
    const { model } = await fromFormula(truth.tensors, truth.config);
    const [less, zeroed] = await Promise.all(
      [false, true].map(async isZeroed => {
        const edited = { ...model, tensors: change(model.tensors, isZeroed) };
        return { model: edited, anatomy: await detect(edited) };
      }),
    );
    assert.deepEqual(
      less!.anatomy.layers.map(({ heads, up }) => [heads, up.out]),
      [
        [zeroed!.anatomy.layers[0]!.heads - 1, zeroed!.anatomy.layers[0]!.up.out],
        [zeroed!.anatomy.layers[1]!.heads, NEURONS],
      ],
    );
    const [made, wanted] = [
      await outputsOf(await written(less!), truth.inputs),
      await outputsOf(await written(zeroed!), truth.inputs),
    ];
    for (const name of made.names)
      assert.ok(furthest(numbersOf(made.values[name]!), numbersOf(wanted.values[name]!)) <= 1e-5, name);
  });
