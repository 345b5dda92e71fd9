import assert from 'node:assert/strict';
import { test } from 'node:test';
import { passInfos } from '../../src/core/session/pass-infos.ts';
import { commandLine } from '../../src/host/command-line.ts';

const step = (options: Record<string, unknown>) => ({ version: 1 as const, steps: [{ pass: 'quantize', options }] });
const line = (options: Record<string, unknown>, path = '/m/model.onnx') =>
  commandLine(path, step(options), '/m/model.int8.onnx', passInfos);

test('one step is the pass as a command, with only what differs from its defaults', () => {
  assert.equal(line({ scheme: 'int8' }), 'headroom quantize /m/model.onnx --out /m/model.int8.onnx');
  assert.equal(
    line({ scheme: 'int8-dynamic' }),
    'headroom quantize /m/model.onnx --scheme int8-dynamic --out /m/model.int8.onnx',
  );
});

test('flags are on, off, numbers, or lists', () => {
  const options = { per_channel: true, smooth: false, embedding_bits: 32, exclude: ['pooler', 'encoder.layer.0.*'] };
  assert.equal(
    commandLine('a.onnx', step(options), 'b.onnx', []),
    "headroom quantize a.onnx --per-channel --no-smooth --embedding-bits 32 --exclude pooler 'encoder.layer.0.*' --out b.onnx",
  );
});

test('names with spaces, quotes and dollars are quoted for a shell', () => {
  assert.match(line({}, "/m/it's $HOME `x`.onnx"), /quantize '\/m\/it'\\''s \$HOME `x`\.onnx' --out/);
});

test('several steps need the recipe in a file', () => {
  const two = { version: 1 as const, steps: [...step({}).steps, ...step({}).steps] };
  assert.equal(
    commandLine('/m/a.onnx', two, '/m/b.onnx', passInfos),
    'headroom compress /m/a.onnx --recipe recipe.json --out /m/b.onnx',
  );
});

test('units, groups, lists and bits by layer are one word each, as the command line reads them', () => {
  const heads = {
    version: 1 as const,
    steps: [{ pass: 'prune-heads', options: { remove: { 0: [1], 3: [0, 2] }, fraction: null } }],
  };
  assert.equal(
    commandLine('a.onnx', heads, 'b.onnx', passInfos),
    "headroom prune-heads a.onnx --remove '0:1 3:0,2' --out b.onnx",
  );
  const layers = { version: 1 as const, steps: [{ pass: 'prune-layers', options: { remove: [1, 3] } }] };
  assert.equal(commandLine('a.onnx', layers, 'b.onnx', passInfos), "headroom prune-layers a.onnx --remove '1 3' --out b.onnx");
  const shared = {
    version: 1 as const,
    steps: [
      {
        pass: 'share-layers',
        options: {
          groups: [
            [0, 1, 2],
            [3, 4],
          ],
        },
      },
    ],
  };
  assert.equal(commandLine('a.onnx', shared, 'b.onnx', []), "headroom share-layers a.onnx --groups '0,1,2 3,4' --out b.onnx");
});

test('the calibration text is said for one step and for several, quoted where it must be', () => {
  assert.equal(
    commandLine('a.onnx', step({}), 'b.onnx', passInfos, '/texts/my train.txt'),
    "headroom quantize a.onnx --calibration '/texts/my train.txt' --out b.onnx",
  );
  const two = { version: 1 as const, steps: [...step({}).steps, ...step({}).steps] };
  assert.match(
    commandLine('a.onnx', two, 'b.onnx', passInfos, 't.txt'),
    /--recipe recipe\.json --calibration t\.txt --out b\.onnx$/,
  );
});
