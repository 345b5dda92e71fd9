import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { matricesIn } from '../../../src/core/anatomy/anatomy.ts';
import { detect } from '../../../src/core/anatomy/detect.ts';
import { compactValues } from '../../../src/core/kernels/linear-algebra/compact-values.ts';
import { svd } from '../../../src/core/kernels/linear-algebra/svd.ts';
import { held } from '../../../src/core/passes/computed.ts';
import { blockParts } from '../../../src/core/passes/factorize/block-diagonal.ts';
import {
  blockShapes,
  compactGrowing,
  compactParameters,
  compactRank,
  kroneckerShapes,
  kroneckerSides,
} from '../../../src/core/passes/factorize/compact-shape.ts';
import { kroneckerParts } from '../../../src/core/passes/factorize/kronecker.ts';
import { compareModels } from '../../../src/core/report/compare.ts';
import { summarize } from '../../../src/core/report/summary.ts';
import { apply } from '../../../src/core/rewrite/apply.ts';
import { asGraph } from '../../../src/core/session/as-graph.ts';
import { readFloats } from '../../../src/core/tensor/floats.ts';
import { expectedOf, generated, nameOf, noGenerated, openMemory, openSource, planOf, writeToMemory } from './fixtures.ts';
import { numbersOf, type Rows, run } from './run.ts';

const pause = async () => {};

/** The numbers of ((31 i + 17 j + 7 i j) mod 101 - 50) / 64: the same in numpy. */
const made = (rows: number, columns: number) =>
  Float32Array.from({ length: rows * columns }, (_, at) => {
    const [i, j] = [Math.floor(at / columns), at % columns];
    return (((i * 31 + j * 17 + i * j * 7) % 101) - 50) / 64;
  });

const norm = (a: Float32Array, b?: Float32Array) => Math.sqrt(a.reduce((sum, value, i) => sum + (value - (b?.[i] ?? 0)) ** 2, 0));

async function kronecker(weight: Float32Array, out: number, width: number, terms: number) {
  const parts = await kroneckerParts(weight, out, width, terms, undefined, pause);
  const shapes = kroneckerShapes(kroneckerSides({ out, in: width }), terms);
  return compactValues(
    'kronecker',
    parts.map((values, i) => ({ values, shape: shapes[i]! })),
    out,
    width,
  );
}

async function blocks(weight: Float32Array, out: number, width: number, groups: number, rank: number) {
  const parts = await blockParts(weight, out, width, groups, rank, undefined, pause);
  const shapes = blockShapes({ out, in: width }, groups, rank);
  return compactValues(
    'block-diagonal',
    parts.map((values, i) => ({ values, shape: shapes[i]! })),
    out,
    width,
  );
}

test("a sum of Kronecker products loses what numpy's SVD of the rearranged matrix loses, within 1e-5 of it", async () => {
  const weight = made(24, 16);
  assert.deepEqual(kroneckerSides({ out: 24, in: 16 }), { p1: 4, q1: 4, p2: 6, q2: 4 });
  for (const [terms, expected] of Object.entries(lostInNumpy)) {
    const lost = norm(weight, await kronecker(weight, 24, 16, Number(terms)));
    assert.ok(Math.abs(lost / expected - 1) < 1e-5, `${terms} terms: ${lost}, ${expected}`);
  }
});

/** numpy 2.4: R = W.reshape(4, 6, 4, 4).transpose(0, 2, 1, 3).reshape(16, 24); sqrt of the sum of squares behind each rank. */
const lostInNumpy = { 1: 8.04240855, 3: 6.61035539, 6: 4.82297815, 10: 2.79393216, 14: 1.15867428 } as const;

test('all terms give the matrix back within 1e-5, and a matrix that is a Kronecker product needs one', async () => {
  const weight = made(24, 16);
  assert.ok(norm(weight, await kronecker(weight, 24, 16, 16)) < 1e-5 * norm(weight));
  const [a, b] = [made(4, 4), made(6, 4)];
  const product = Float32Array.from({ length: 24 * 16 }, (_, at) => {
    const [o, i] = [Math.floor(at / 16), at % 16];
    return a[Math.floor(o / 6) * 4 + Math.floor(i / 4)]! * b[(o % 6) * 4 + (i % 4)]!;
  });
  assert.ok(norm(product, await kronecker(product, 24, 16, 1)) < 1e-5 * norm(product));
});

test('blocks and a thin pair lose less than the pair alone, and where they stop neither does better given the other, within 1 %', async () => {
  const [out, width, groups, rank] = [24, 16, 4, 5];
  const weight = made(out, width);
  const near = await blocks(weight, out, width, groups, rank);
  const { values } = await svd(weight, out, width, rank);
  const alone = Math.sqrt(values.subarray(rank).reduce((sum, value) => sum + value * value, 0));
  const lost = norm(weight, near);
  assert.ok(lost < 0.95 * alone, `${lost}, ${alone}`);
  const inside = (at: number) => Math.floor(Math.floor(at / width) / 6) === Math.floor((at % width) / 4);
  near.forEach((value, at) => {
    if (inside(at)) assert.ok(Math.abs(value - weight[at]!) < 1e-5, 'on the diagonal it is the matrix');
  });
});

test('a matrix of blocks and a rank is found again within 1 % of its size', async () => {
  const [out, width] = [24, 16];
  const [left, right] = [made(24, 1), made(16, 1)];
  const weight = Float32Array.from({ length: out * width }, (_, at) => {
    const [o, i] = [Math.floor(at / width), at % width];
    const block = Math.floor(o / 6) === Math.floor(i / 4) ? Math.sin(at) : 0;
    return block + left[o]! * right[i]!;
  });
  assert.ok(norm(weight, await blocks(weight, out, width, 4, 1)) < 0.01 * norm(weight));
});

test('parameters are exact: 24 x 32 and 32 x 24 for each term of 768 x 768, blocks and a pair; what would grow is refused', () => {
  const square = { out: 768, in: 768 };
  assert.deepEqual(kroneckerSides(square), { p1: 24, q1: 32, p2: 32, q2: 24 });
  assert.equal(compactParameters('kronecker', square, 10, 0), 10 * (768 + 768));
  assert.equal(compactParameters('block-diagonal', square, 10, 8), 768 * 96 + 10 * 1536);
  assert.equal(compactRank('kronecker', square, 0.5, 0), Math.floor((0.5 * 768 * 768) / 1536));
  assert.equal(compactRank('block-diagonal', square, 0.5, 8), 144);
  assert.match(compactGrowing('kronecker', square, 384, 0)!.text, /would not make it smaller/);
  assert.match(compactGrowing('kronecker', square, 769, 0)!.text, /more than it has/);
  assert.match(compactGrowing('block-diagonal', square, 4, 7)!.text, /cannot be divided/);
  assert.match(compactGrowing('block-diagonal', square, compactRank('block-diagonal', square, 0.1, 8), 8)!.text, /larger ratio/);
});

test('quantized, what is compact keeps its parts and says why; in 16 bits it is compact still', {
  skip: noGenerated,
}, async () => {
  for (const file of ['model.torchscript.onnx', 'model.safetensors'])
    for (const method of ['kronecker', 'block-diagonal'] as const) {
      const source = await openSource(join(generated, 'bert-base', file));
      const compact = await apply(source.body, await planOf(source.body, { method, rank: 3 }, 'factorize'));
      for (const scheme of ['int8', 'int4', 'fp16', 'bf16']) {
        const plan = await planOf(compact, { scheme, ...(scheme.startsWith('int') && { embedding_bits: 8 }) });
        const { anatomy } = await apply(compact, plan);
        assert.equal(anatomy.layers.length, 3, `${file} ${method} ${scheme}`);
        for (const whole of anatomy.layers.flatMap(matricesIn))
          assert.equal(whole.compact?.kind, method, `${file} ${scheme} ${whole.id}`);
        const kept = plan.skipped.filter(({ target }) => /\.(left|right|blocks|first|second)(\.weight)?$/.test(target));
        assert.equal(kept.length > 0, scheme.startsWith('int'), `${file} ${method} ${scheme}`);
      }
      const again = await planOf(compact, { rank: 2 }, 'factorize');
      assert.ok(again.skipped.some(({ reason }) => /already factored/.test(reason.text)));
      await source.close();
    }
});

const options = { kronecker: { rank: 6 }, 'block-diagonal': { rank: 4, blocks: 4 } } as const;

for (const method of ['kronecker', 'block-diagonal'] as const)
  test(`${method}: graph and checkpoint are seen as they were, with fewer parameters, and give the outputs of the matrices multiplied out within 1e-4`, {
    skip: noGenerated,
  }, async () => {
    for (const file of ['model.torchscript.onnx', 'model.dynamo.onnx', 'model.sdpa.onnx', 'model.safetensors']) {
      const source = await openSource(join(generated, 'bert-base', file));
      const { body } = source;
      const plan = await planOf(body, { method, ...options[method] }, 'factorize');
      const compact = await apply(body, plan);
      const [before, after] = [summarize(body.model, body.anatomy).model, summarize(compact.model, compact.anatomy).model];
      const gained = plan.edits.reduce(
        (sum, edit) =>
          edit.kind === 'compact'
            ? sum + edit.target.out * edit.target.in - compactParameters(method, edit.target, options[method].rank, 4)
            : sum,
        0,
      );
      assert.ok(gained > 0);
      assert.equal(after.parameters, before.parameters - gained, file);
      const shape = ({ family, task, hidden, layers, heads, headDim, intermediate }: typeof after) => ({
        family,
        task,
        hidden,
        layers,
        heads,
        headDim,
        intermediate,
      });
      assert.deepEqual(shape(after), shape(before), file);
      const { model } = compact;
      const written = { ...(await openMemory(await writeToMemory(model), nameOf(model))), config: model.config };
      const found = { model: written, anatomy: await detect(written) };
      assert.equal(found.anatomy.unclaimed.length, body.anatomy.unclaimed.length, file);
      const wholes = found.anatomy.layers.flatMap(matricesIn);
      for (const whole of wholes) {
        assert.deepEqual([whole.form, whole.compact?.kind], ['factored', method], `${file} ${whole.id}`);
        assert.equal(whole.bias?.shape[0], whole.out);
      }
      const { rows } = await compareModels(body, found);
      const values = new Map<string, Float32Array>();
      for (const edit of plan.edits) {
        if (edit.kind !== 'compact') continue;
        const { target, parts } = edit;
        const read = [];
        for (const part of parts) read.push({ shape: part.shape, values: await readFloats(part) });
        const acts_OI = compactValues(method, read, target.out, target.in);
        values.set(target.id, acts_OI);
        const stored = await readFloats(target.weight);
        const weight_OI = target.transposed
          ? acts_OI.map((_, at) => stored[(at % target.in) * target.out + Math.floor(at / target.in)]!)
          : stored;
        const { error } = rows.find(({ id }) => id === `${target.id}.weight`)!;
        const relative = norm(weight_OI, acts_OI) / norm(weight_OI);
        assert.ok(Math.abs(error!.relative - relative) < 1e-4, `${file} ${target.id}: ${error!.relative}, ${relative}`);
      }
      const multiplied = await apply(body, {
        edits: plan.edits.flatMap(edit => {
          if (edit.kind !== 'compact') return [];
          const { target } = edit;
          const acts_OI = values.get(target.id)!;
          const [rows, columns] = target.weight.shape as [number, number];
          const lies = target.transposed
            ? Float32Array.from({ length: acts_OI.length }, (_, at) => acts_OI[(at % columns) * rows + Math.floor(at / columns)]!)
            : acts_OI;
          return [{ kind: 'replace' as const, target, weight: held('weight', 'fp32', [rows, columns], lies) }];
        }),
        skipped: [],
      });
      const bytes = async (one: typeof found) => {
        const graph = one.model.graph ? one : await asGraph(one);
        return (await writeToMemory(graph.model)).get(nameOf(graph.model))!;
      };
      const ids = expectedOf('bert-base').inputs.input_ids as Rows;
      const [expected, given] = [await run(await bytes(multiplied), ids), await run(await bytes(found), ids)];
      for (const [name, output] of Object.entries(expected)) {
        const [a, b] = [numbersOf(output), numbersOf(given[name]!)];
        const far = a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
        assert.ok(far < 1e-4, `${file} ${name}: ${far}`);
      }
      await source.close();
    }
  });
