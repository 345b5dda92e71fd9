import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Anatomy } from '../../../../src/core/anatomy/anatomy.ts';
import { detect } from '../../../../src/core/anatomy/detect.ts';
import { type Taps, taps } from '../../../../src/core/anatomy/taps.ts';
import { openFileSource } from '../../../../src/core/bytes/file.ts';
import { fileFolder } from '../../../../src/core/bytes/folder.ts';
import { openOutput } from '../../../../src/core/bytes/output.ts';
import { onnx } from '../../../../src/core/format/onnx/onnx.ts';
import { openModel } from '../../../../src/core/format/open.ts';
import { closeModel } from '../../../../src/core/format/stored.ts';
import type { Graph } from '../../../../src/core/model/graph.ts';
import { newNode } from '../../../../src/core/model/graph-edit.ts';
import type { Model } from '../../../../src/core/model/model.ts';

const scratch = mkdtempSync(join(tmpdir(), 'headroom-probe-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

type GraphModel = Model & { readonly graph: Graph };

/** Writes a changed model with its tokenizer beside it, and gives its path. */
export async function changed(
  path: string,
  name: string,
  change: (model: GraphModel, taps: Taps, anatomy: Anatomy) => Model | Promise<Model>,
): Promise<string> {
  const folder = join(scratch, name);
  mkdirSync(folder, { recursive: true });
  const model = (await openModel(await openFileSource(path), fileFolder(dirname(path)))) as GraphModel;
  const anatomy = await detect(model);
  const output = await openOutput(folder, { overwrite: true });
  await onnx.write(await change(model, taps(model, anatomy), anatomy), output, 'model.onnx');
  await output.commit();
  await closeModel(model);
  for (const file of ['tokenizer.json', 'tokenizer_config.json', 'vocab.txt'])
    if (existsSync(join(dirname(path), file))) copyFileSync(join(dirname(path), file), join(folder, file));
  return join(folder, 'model.onnx');
}

/** The model without its layer `index`: what read the layer reads what the layer read. */
export function without(model: GraphModel, { layers }: Taps, index: number): GraphModel {
  const { input, output } = layers[index]!;
  const nodes = model.graph.nodes.map(node =>
    node.inputs.includes(output!) ? { ...node, inputs: node.inputs.map(value => (value === output ? input! : value)) } : node,
  );
  const isLast = model.graph.outputs.some(({ name }) => name === output);
  const last = isLast ? [newNode('Identity', [input!], [output!])] : [];
  const others = nodes.filter(node => !(isLast && node.outputs.includes(output!)));
  return pruned({ ...model, graph: { ...model.graph, nodes: [...others, ...last] } });
}

/** Only what the outputs need. */
function pruned(model: GraphModel): GraphModel {
  const makers = new Map(model.graph.nodes.flatMap(node => node.outputs.map(value => [value, node] as const)));
  const kept = new Set(model.graph.outputs.flatMap(({ name }) => makers.get(name) ?? []));
  for (const node of kept) for (const value of node.inputs) if (makers.has(value)) kept.add(makers.get(value)!);
  return { ...model, graph: { ...model.graph, nodes: model.graph.nodes.filter(node => kept.has(node)) } };
}

/** The model with one number of a tensor replaced; of fp32. */
export async function planted(model: GraphModel, name: string, at: number, number: number): Promise<GraphModel> {
  const tensor = model.tensors.get(name)!;
  const whole = Uint8Array.from(await tensor.bytes());
  new DataView(whole.buffer).setFloat32(4 * at, number, true);
  const { dtype, shape, byteLength } = tensor;
  const bytes = async (start = 0, end = byteLength) => whole.subarray(start, end);
  return { ...model, tensors: new Map([...model.tensors, [name, { name, dtype, shape, byteLength, bytes }]]) };
}

/** Initializers under names that say nothing. */
export function renamed(model: GraphModel): GraphModel {
  const names = new Map(model.graph.initializers.map((name, index) => [name, `t${index}`]));
  const rename = (name: string) => names.get(name) ?? name;
  const tensors = [...model.tensors.values()].map(tensor => {
    const { dtype, shape, byteLength } = tensor;
    const bytes: typeof tensor.bytes = (...range) => tensor.bytes(...range);
    return [rename(tensor.name), { name: rename(tensor.name), dtype, shape, byteLength, bytes }] as const;
  });
  const nodes = model.graph.nodes.map(node => ({ ...node, inputs: node.inputs.map(rename) }));
  return {
    ...model,
    tensors: new Map(tensors),
    graph: { ...model.graph, nodes, initializers: model.graph.initializers.map(rename) },
  };
}
