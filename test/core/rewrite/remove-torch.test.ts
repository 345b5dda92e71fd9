import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import type { Edit } from '../../../src/core/passes/pass.ts';
import { openCalibration } from '../../../src/core/session/calibrate.ts';
import { openPath } from '../../../src/core/session/open.ts';

const generated = resolve(import.meta.dirname, '../../../../shared/generated');
const skip = existsSync(generated) ? false : 'skipped: no generated models';
const texts = ['a b c', 'd', 'the cat sat on the mat', 'x y z w', 'one two'];

/**
 * The first four numbers of the mean of the last hidden state of each text. PyTorch 2.13, transformers 5.23: BertModel of
 * generated/bert-base on the same ids, head 1 of layer 0 and neurons 1 and 3 of the last layer zeroed before the matrices that
 * read them, or a layer deleted from encoder.layer.
 */
const cases: readonly {
  readonly what: string;
  readonly edits: (last: number) => Edit[];
  readonly expected: readonly number[][];
}[] = [
  {
    what: 'a head and two neurons masked',
    edits: last => [
      { kind: 'remove-heads', layer: 0, heads: [1] },
      { kind: 'remove-neurons', layer: last, neurons: [1, 3] },
    ],
    expected: [
      [-1.0743783, 1.1781608, -0.2536355, 0.841118],
      [0.2546093, 0.90592, 0.0482193, -0.7081838],
      [-0.303098, 1.6309488, -0.3414629, 1.009937],
      [0.1190322, 1.0722415, -0.1122477, -0.1719553],
      [0.5406163, 0.805065, 0.0420759, -1.1748813],
    ],
  },
  {
    what: 'the last layer deleted',
    edits: last => [{ kind: 'remove-layers', layers: [last] }],
    expected: [
      [-0.9902266, 0.0518036, 1.7048565, 0.7328304],
      [-0.2745385, 0.2900691, 1.6649753, -0.1916027],
      [-0.6964458, 0.5269265, 1.6468384, 0.5227944],
      [-0.4169817, 0.1792287, 1.5735445, 0.1500509],
      [-0.3649486, 0.7955458, 1.5909156, -0.4315612],
    ],
  },
  {
    what: 'the first layer deleted',
    edits: () => [{ kind: 'remove-layers', layers: [0] }],
    expected: [
      [0.1228062, 1.1436145, -0.9966203, 0.352955],
      [-0.2346866, 0.9261599, -0.7950307, 0.9154029],
      [0.0422471, 1.5756382, -1.0066326, -0.1346142],
      [0.86337, 0.6321136, -0.7355096, -0.5605012],
      [-0.5183937, 1.4570389, -1.0759016, 1.2782903],
    ],
  },
];

for (const form of ['safetensors', 'torchscript.onnx', 'sdpa.onnx', 'dynamo.onnx', 'ort-fused.onnx'])
  test(`bert-base/model.${form}: what is removed gives what PyTorch gives without it, to 1e-5`, { skip }, async () => {
    const opened = await openPath(join(generated, `bert-base/model.${form}`));
    const calibration = await openCalibration(opened, opened, texts);
    try {
      for (const { what, edits, expected } of cases) {
        const { pooled, width } = await calibration.vectors(edits(opened.anatomy.layers.length - 1));
        for (const [text, numbers] of expected.entries())
          for (const [i, value] of numbers.entries()) {
            const found = pooled[text * width + i]!;
            assert.ok(Math.abs(found - value) < 1e-5, `${what}, text ${text}, ${i}: ${found} is not ${value}`);
          }
      }
    } finally {
      await calibration.close();
      await opened.close();
    }
  });
