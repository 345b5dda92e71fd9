import { execFileSync } from 'node:child_process';
import {
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { root } from './window.ts';

/** A folder as a person might have it: the sample, models that cannot be opened, one that is not a BERT, one that takes a while. */
export function makeWorkspace(): string {
  const folder = mkdtempSync(join(tmpdir(), 'headroom-workspace-'));
  const sample = join(root, 'media', 'sample');
  for (const name of ['model.onnx', 'config.json', 'tokenizer.json', 'vocab.txt']) cpSync(join(sample, name), join(folder, name));
  writeFileSync(join(folder, 'cut.onnx'), readFileSync(join(sample, 'model.onnx')).subarray(0, 3_000_000));
  writeFileSync(
    join(folder, 'pointer.onnx'),
    `version https://git-lfs.github.com/spec/v1\noid sha256:${'4d7a'.repeat(16)}\nsize 6452269\n`,
  );
  writeFileSync(join(folder, 'page.safetensors'), '<!DOCTYPE html><html><body>Not found</body></html>');
  writeFileSync(join(folder, 'notes.md'), 'Nothing of interest.\n');
  mkdirSync(join(folder, 'vision'));
  writeSafetensors(join(folder, 'vision', 'vision.safetensors'), {
    'conv1.weight': [64, 3, 7, 7],
    'fc.weight': [10, 64],
    'fc.bias': [10],
  });
  return folder;
}

/** A BERT of `layers` x 2,048 with weights of zero. The file is sparse: 4.9 GB at 24 layers, and next to nothing on the disk. */
export function addLargeModel(folder: string, layers: number): string {
  const hidden = 2048;
  const tensors: Record<string, number[]> = {
    'embeddings.word_embeddings.weight': [30522, hidden],
    'embeddings.position_embeddings.weight': [512, hidden],
    'embeddings.token_type_embeddings.weight': [2, hidden],
  };
  const norm = (name: string) => Object.assign(tensors, { [`${name}.weight`]: [hidden], [`${name}.bias`]: [hidden] });
  const linear = (name: string, output: number, input: number) =>
    Object.assign(tensors, { [`${name}.weight`]: [output, input], [`${name}.bias`]: [output] });
  norm('embeddings.LayerNorm');
  for (let index = 0; index < layers; index += 1) {
    const layer = `encoder.layer.${index}`;
    for (const part of ['query', 'key', 'value']) linear(`${layer}.attention.self.${part}`, hidden, hidden);
    linear(`${layer}.attention.output.dense`, hidden, hidden);
    norm(`${layer}.attention.output.LayerNorm`);
    linear(`${layer}.intermediate.dense`, 4 * hidden, hidden);
    linear(`${layer}.output.dense`, hidden, 4 * hidden);
    norm(`${layer}.output.LayerNorm`);
  }
  const path = join(folder, 'large', 'large.safetensors');
  mkdirSync(dirname(path), { recursive: true });
  writeSafetensors(path, tensors);
  const config = { model_type: 'bert', hidden_size: hidden, num_attention_heads: 32, num_hidden_layers: layers };
  writeFileSync(join(dirname(path), 'config.json'), JSON.stringify(config));
  return path;
}

/** `count` tensors of 8 x 8 in layers of 16, under names as long as real ones. Sparse as well. */
export function addManyTensors(folder: string, count: number): string {
  const path = join(folder, 'many', 'many.safetensors');
  mkdirSync(dirname(path), { recursive: true });
  const name = (index: number) => `model.blocks.${Math.floor(index / 16)}.attention.projection_${index % 16}.weight`;
  writeSafetensors(path, Object.fromEntries(Array.from({ length: count }, (_, index) => [name(index), [8, 8]])));
  return path;
}

/** One matrix whose every value is known: value(row, column). */
export function addKnownMatrix(folder: string, rows: number, columns: number, value: (row: number, column: number) => number) {
  const path = join(folder, 'known', 'known.safetensors');
  mkdirSync(dirname(path), { recursive: true });
  const values = Float32Array.from({ length: rows * columns }, (_, at) => value(Math.floor(at / columns), at % columns));
  const start = writeSafetensors(path, { 'known.weight': [rows, columns] });
  const file = openSync(path, 'r+');
  writeSync(file, new Uint8Array(values.buffer), 0, values.byteLength, start);
  closeSync(file);
  return values;
}

// safetensors: u64 length of the header, the header as JSON, the tensors. Returns where they begin.
function writeSafetensors(path: string, tensors: Readonly<Record<string, readonly number[]>>): number {
  let end = 0;
  const header: Record<string, object> = {};
  for (const [name, shape] of Object.entries(tensors)) {
    const begin = end;
    end += 4 * shape.reduce((product, side) => product * side, 1);
    header[name] = { dtype: 'F32', shape, data_offsets: [begin, end] };
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const file = openSync(path, 'w');
  writeSync(file, Buffer.concat([length, text]));
  closeSync(file);
  truncateSync(path, 8 + text.length + end);
  return 8 + text.length;
}

/** What the command line says: the numbers that the pages must show. */
export function headroom(...args: string[]): unknown {
  return JSON.parse(
    execFileSync(process.execPath, [join(root, 'dist', 'cli.js'), ...args, '--json'], { encoding: 'utf8', maxBuffer: 2 ** 28 }),
  );
}
