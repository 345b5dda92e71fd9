import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { poolingOf } from '../../../src/core/session/pooling.ts';

type Files = Readonly<Record<string, object | Uint8Array>>;

/** What is said of a folder with these files. */
async function found(files: Files) {
  const folder = mkdtempSync(join(tmpdir(), 'headroom-pooling-'));
  try {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(join(folder, name, '..'), { recursive: true });
      writeFileSync(join(folder, name), content instanceof Uint8Array ? content : JSON.stringify(content));
    }
    return await poolingOf(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const modules = (...types: string[]) =>
  types.map((type, idx) => ({ idx, path: idx === 0 ? '' : `${idx}_${type}`, type: `sentence_transformers.models.${type}` }));

/** linear.weight [2, 3] and linear.bias [2], the numbers 0 to 7. */
function matrix(): Uint8Array {
  const header = Buffer.from(
    JSON.stringify({
      'linear.weight': { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
      'linear.bias': { dtype: 'F32', shape: [2], data_offsets: [24, 32] },
    }),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, Buffer.from(Float32Array.from({ length: 8 }, (_, at) => at).buffer)]);
}

test('modules.json says the order of pooling, matrix and unit length; the matrix is in memory when its file is closed', async () => {
  const { pooling } = await found({
    'modules.json': modules('Transformer', 'Pooling', 'Dense', 'Normalize'),
    '1_Pooling/config.json': { pooling_mode_cls_token: true, pooling_mode_mean_tokens: false, pooling_mode_max_tokens: true },
    '2_Dense/config.json': { in_features: 3, out_features: 2, activation_function: 'torch.nn.modules.activation.Tanh' },
    '2_Dense/model.safetensors': matrix(),
  });
  assert.deepEqual(pooling?.modes, ['cls', 'max']);
  const [dense, unit] = pooling!.steps;
  assert.equal(unit?.kind, 'normalize');
  assert.ok(dense?.kind === 'dense' && dense.activation === 'tanh');
  assert.deepEqual([dense.weight.shape, dense.bias?.shape], [[2, 3], [2]]);
  assert.deepEqual([...new Float32Array((await dense.weight.bytes()).slice().buffer)], [0, 1, 2, 3, 4, 5]);
});

test('the mean is what is taken where config.json states no way, and words name ways as flags do', async () => {
  const ways = async (config: object) => (await found({ '1_Pooling/config.json': config })).pooling?.modes;
  assert.deepEqual(await ways({ word_embedding_dimension: 3 }), ['mean']);
  assert.deepEqual(await ways({ pooling_mode: 'lasttoken' }), ['lasttoken']);
  assert.deepEqual(await ways({ pooling_mode: 'mean_sqrt_len_tokens' }), ['mean_sqrt_len']);
  assert.deepEqual(await ways({ pooling_mode: ['max', 'cls'] }), ['cls', 'max']);
});

for (const [what, files, reason] of [
  ['an unknown way', { '1_Pooling/config.json': { pooling_mode: 'median' } }, /^The pooling median is not one.*cls, max, mean/],
  [
    'a Dense without safetensors',
    dense({ 'pytorch_model.bin': new Uint8Array(8) }),
    /^The step Dense has no 2_Dense\/model\.safetensors/,
  ],
  [
    'another activation',
    dense({ 'config.json': { activation_function: 'torch.nn.Softplus' } }),
    /2_Dense\/config\.json names the activation Softplus/,
  ],
] as const)
  test(`${what} is a reason, not an error`, async () => {
    const { text, args } = (await found(files)).reason!;
    assert.match(
      text.replace(/\{(\w+)\}/g, (_, key) => String(args?.[key])),
      reason,
    );
  });

function dense(files: Files): Files {
  return {
    'modules.json': modules('Transformer', 'Pooling', 'Dense'),
    '1_Pooling/config.json': { pooling_mode: 'mean' },
    ...Object.fromEntries(Object.entries(files).map(([name, content]) => [`2_Dense/${name}`, content])),
  };
}

test('a folder that says nothing of pooling has none, and no reason', async () => {
  assert.deepEqual(await found({ 'config.json': {} }), {});
});
