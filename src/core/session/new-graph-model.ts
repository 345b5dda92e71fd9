import { memoryFolder, memorySource } from '../bytes/memory.ts';
import { onnx } from '../format/onnx/onnx.ts';
import type { Graph } from '../model/graph.ts';
import type { Model } from '../model/model.ts';

/** ModelProto with an IR version (1), an opset (8) and an empty graph (7), for the writer to fill. */
const emptyModel = Uint8Array.of(0x08, 8, 0x42, 2, 0x10, 17, 0x3a, 0);

/** A model with a graph of its own, that came from no file. */
export async function newGraphModel(
  graph: Pick<Graph, 'inputs' | 'outputs' | 'nodes'> & Partial<Graph>,
  name = 'model.onnx',
): Promise<Model & { readonly graph: Graph }> {
  const empty = await onnx.open(memorySource(name, emptyModel), memoryFolder());
  return { ...empty, graph: { ...empty.graph!, ...graph, producer: 'headroom' } };
}
