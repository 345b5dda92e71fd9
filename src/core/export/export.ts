import type { Anatomy, ExtraOrgan } from '../anatomy/anatomy.ts';
import { wideningId } from '../anatomy/ids.ts';
import type { Graph } from '../model/graph.ts';
import type { Model } from '../model/model.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { addDeberta } from './deberta.ts';
import { addEmbeddings } from './embeddings.ts';
import { GraphBuilder } from './graph-builder.ts';
import { addHead } from './heads.ts';
import { addInputs, type Inputs } from './inputs.ts';
import { addLayer, scoreMask } from './layer.ts';
import { addMobilebert } from './mobilebert.ts';
import { addPooling, type Pooling } from './pooling.ts';
import { relativeScores } from './relative-positions.ts';
import { type Settings, settingsOf } from './settings.ts';
import { checkSupported } from './supported.ts';
import { Top } from './top.ts';

/** What an ONNX model is made of, beside what the format itself needs. */
export interface Exported {
  readonly graph: Pick<Graph, 'name' | 'inputs' | 'outputs' | 'nodes' | 'initializers' | 'opsets' | 'irVersion'>;
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Ids of organs and names of tensors that the task's outputs do not need: a pooler below a head that does not read it. */
  readonly left: readonly string[];
}

/** The first opset with LayerNormalization, and the IR version that came with it: onnxruntime 1.12 and newer run it. */
const OPSET = 17;
const IR_VERSION = 8;

/**
 * A checkpoint as a graph with the inputs and outputs that transformers' exporters give it: ids, mask and types of
 * [batch, sequence], both free. The weights are read when they are written. Nothing is read here.
 * throws 'unsupported' for what the graph could not do as the model does it
 */
export function exportGraph(model: Model, anatomy: Anatomy, pooling?: Pooling): Exported {
  checkSupported(model, anatomy);
  const settings = settingsOf(model, anatomy);
  const graph = new GraphBuilder(settings.epsilon);
  const inputs = addInputs(graph, anatomy);
  const embedded = addEmbeddings(graph, anatomy, inputs, settings);
  const narrow = (encoders[anatomy.family] ?? addBert)(graph, anatomy, embedded, inputs, settings);
  const widening = anatomy.encoderExtra?.find(({ id }) => id === wideningId)?.linear;
  const hidden = widening ? graph.linear(narrow, widening) : narrow;
  const width = widening?.out ?? anatomy.hidden;
  const top = new Top(graph, anatomy, { hidden, width }, settings, inputs.choices);
  addHead(top);
  if (pooling) addPooling(graph, hidden, inputs.mask, width, pooling);
  const { nodes, tensors } = graph;
  return {
    graph: {
      name: anatomy.family,
      inputs: graph.inputs,
      outputs: graph.outputs,
      nodes,
      initializers: [...tensors.keys()],
      opsets: new Map([['', OPSET]]),
      irVersion: IR_VERSION,
    },
    tensors,
    left: leftOut(graph, anatomy, top),
  };
}

type Encoder = typeof addBert;

const encoders: Readonly<Record<string, Encoder>> = {
  'deberta-v2': addDeberta,
  'deberta-v3': addDeberta,
  mobilebert: addMobilebert,
};

/** BERT's layers, and MPNet's, whose scores know how far apart two tokens are. */
function addBert(graph: GraphBuilder, anatomy: Anatomy, embedded: string, { ids, mask }: Inputs, settings: Settings): string {
  const seen = graph.within('encoder', () => scoreMask(graph, mask));
  const relative = anatomy.encoderExtra?.find(({ table }) => table)?.table;
  const shown = relative ? graph.node('Add', [relativeScores(graph, ids, relative), seen]) : seen;
  return anatomy.layers.reduce((hidden, layer) => addLayer(graph, layer, hidden, shown, settings.activation), embedded);
}

/** Organs and tensors of the checkpoint that no node reads. */
function leftOut(graph: GraphBuilder, anatomy: Anatomy, top: Top): string[] {
  const { tables, embeddingProjection, embeddingExtra = [], encoderExtra = [], layers, unclaimed } = anatomy;
  const extra = [...embeddingExtra, ...encoderExtra, ...layers.flatMap(({ extra }) => extra ?? [])];
  const below = [
    ...tables.map(({ id, weight }) => ({ id, tensors: [weight] })),
    ...(embeddingProjection ? [{ id: embeddingProjection.id, tensors: [embeddingProjection.weight] }] : []),
    ...extra.map(organ => ({ id: organ.id, tensors: tensorsOf(organ) })),
  ];
  return [
    ...below.filter(({ tensors }) => !tensors.some(tensor => graph.holds(tensor))).map(({ id }) => id),
    ...anatomy.top.filter(({ id }) => !top.used.has(id)).map(({ id }) => id),
    ...unclaimed.map(({ name }) => name).filter(name => !top.used.has(name)),
  ];
}

const tensorsOf = ({ linear, table, norm, tensors }: ExtraOrgan): readonly Tensor[] =>
  [linear?.weight, table?.weight, norm?.weight, ...(tensors ?? []).map(([, tensor]) => tensor)].filter(
    tensor => tensor !== undefined,
  );
