// Large files for size.mjs, written without weights: 5 GB that take no room on the disk, 50,000 tensors, three million nodes.
import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import { externalTensor, field, integer, join, node, opset, rawTensor, value, varint } from '../core/format/protobuf.ts';
import { makeBertBase } from './base-onnx.mjs';

/** What is measured, by name: a function that writes it into a folder and returns its path. */
export const sizes = {
  '5 GB, safetensors': folder => once(folder, '5gb.safetensors', path => writeSafetensors(path, largeTensors())),
  '5 GB, ONNX': folder => once(folder, '5gb.onnx', writeLargeOnnx),
  '5 GB beside an ONNX': folder => once(joinPath(folder, 'external'), '5gb-external.onnx', writeExternalOnnx),
  '50,000 tensors, safetensors': folder =>
    once(folder, 'flat.safetensors', path =>
      writeSafetensors(
        path,
        repeat(50_000, i => [`model.t${i}.weight`, 4, 4]),
      ),
    ),
  '50,000 tensors of a BERT, safetensors': folder =>
    once(folder, 'bert.safetensors', path => writeSafetensors(path, bertTensors(3125, 8))),
  '50,000 tensors and nodes, ONNX': folder => once(folder, 'chain.onnx', path => writeChain(path, 50_000)),
  '50,000 tensors of a BERT, ONNX': folder => once(folder, 'bert.onnx', path => makeBertBase(path, deep(1388))),
  '3,000,000 nodes': folder => once(folder, 'nodes.onnx', path => writeNodes(path, 3e6)),
};

function once(folder, name, write) {
  mkdirSync(folder, { recursive: true });
  const path = joinPath(folder, name);
  if (!existsSync(path)) write(path);
  return path;
}

const repeat = (count, make) => Array.from({ length: count }, (_, i) => make(i));
const deep = layers => ({ vocabulary: 50, positions: 16, types: 2, hidden: 8, layers, heads: 2, forward: 16 });

function* largeTensors() {
  const hidden = 4096;
  yield ['embeddings.word_embeddings.weight', 30522, hidden];
  for (let layer = 0; layer < 22; layer++) {
    for (const name of ['attention.self.query', 'attention.self.key', 'attention.self.value', 'attention.output.dense'])
      yield [`encoder.layer.${layer}.${name}.weight`, hidden / 2, hidden];
    yield [`encoder.layer.${layer}.intermediate.dense.weight`, hidden, hidden / 2];
    yield [`encoder.layer.${layer}.output.dense.weight`, hidden / 2, hidden];
  }
}

function* bertTensors(layers, hidden) {
  const linear = ['attention.self.query', 'attention.self.key', 'attention.self.value', 'attention.output.dense'];
  for (let layer = 0; layer < layers; layer++) {
    const at = name => `encoder.layer.${layer}.${name}`;
    for (const name of [...linear, 'intermediate.dense', 'output.dense']) {
      yield [at(`${name}.weight`), hidden, hidden];
      yield [at(`${name}.bias`), hidden];
    }
    for (const name of ['attention.output.LayerNorm', 'output.LayerNorm']) {
      yield [at(`${name}.weight`), hidden];
      yield [at(`${name}.bias`), hidden];
    }
  }
}

function writeSafetensors(path, tensors) {
  const header = {};
  let offset = 0;
  for (const [name, ...shape] of tensors) {
    const end = offset + 4 * shape.reduce((a, b) => a * b, 1);
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, end] };
    offset = end;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeWithHole(path, [length, json], offset);
}

function writeWithHole(path, head, hole) {
  const fd = openSync(path, 'w');
  let length = hole;
  for (const bytes of head) {
    writeSync(fd, bytes);
    length += bytes.length;
  }
  ftruncateSync(fd, length);
  closeSync(fd);
}

/** A product of 5 GB: its matrix is the last field of the file, so that it may be a hole. */
function writeLargeOnnx(path) {
  const raw = 4 * 4096 * 305_000;
  const tensor = join(integer(1, 4096), integer(1, 305_000), integer(2, 1), field(8, 'w'), varint(9 * 8 + 2), varint(raw));
  const before = join(
    field(1, node('MatMul', ['x', 'w'], ['y'])),
    field(11, value('x', 'n', 4096)),
    field(12, value('y', 'n', 305_000)),
    varint(5 * 8 + 2),
    varint(tensor.length + raw),
    tensor,
  );
  writeWithHole(path, [join(integer(1, 8), opset(17), varint(7 * 8 + 2), varint(before.length + raw)), before], raw);
}

function writeExternalOnnx(path) {
  const shape = [4096, 305_000];
  const bytes = 4 * shape[0] * shape[1];
  writeFileSync(
    path,
    join(
      integer(1, 8),
      opset(17),
      field(
        7,
        field(1, node('MatMul', ['x', 'w'], ['y'])),
        field(5, externalTensor('w', shape, { location: 'w.bin', offset: '0', length: String(bytes) })),
        field(11, value('x', 'n', 4096)),
        field(12, value('y', 'n', shape[1])),
      ),
    ),
  );
  writeWithHole(joinPath(path, '../w.bin'), [], bytes);
}

function writeChain(path, count) {
  const raw = new Uint8Array(4 * 16);
  const nodes = repeat(count, i => field(1, node('MatMul', [i === 0 ? 'x' : `h${i - 1}`, `w${i}`], [`h${i}`])));
  const tensors = repeat(count, i => field(5, rawTensor(`w${i}`, 1, [4, 4], raw)));
  const graph = join(...nodes, ...tensors, field(11, value('x', 'n', 4)), field(12, value(`h${count - 1}`, 'n', 4)));
  writeFileSync(path, join(integer(1, 8), opset(17), field(7, graph)));
}

function writeNodes(path, count) {
  const block = join(...Array(1000).fill(field(1, node('Relu', ['x'], ['y']))));
  writeFileSync(path, join(integer(1, 8), opset(17), field(7, ...Array(count / 1000).fill(block))));
}
