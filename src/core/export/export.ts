import type { Anatomy } from '../anatomy/anatomy.ts';
import type { Graph } from '../model/graph.ts';
import type { Model } from '../model/model.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { addEmbeddings, tokenTypes } from './embeddings.ts';
import { GraphBuilder } from './graph-builder.ts';
import { addHead, Top } from './heads.ts';
import { addLayer, scoreMask } from './layer.ts';
import { addPooling, type Pooling } from './pooling.ts';
import { relativeScores } from './relative-positions.ts';
import { checkSupported } from './supported.ts';

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
  const config = configOf(model, anatomy);
  const graph = new GraphBuilder(config.epsilon);
  const ids = graph.input('input_ids');
  const mask = graph.input('attention_mask');
  const types = tokenTypes(anatomy) > 1 ? graph.input('token_type_ids') : undefined;
  const seen = graph.within('encoder', () => scoreMask(graph, mask));
  const relative = anatomy.encoderExtra?.find(({ table }) => table)?.table;
  const shown = relative ? graph.node('Add', [relativeScores(graph, ids, relative), seen]) : seen;
  let hidden = addEmbeddings(graph, anatomy, { ids, types }, config);
  for (const layer of anatomy.layers) hidden = addLayer(graph, layer, hidden, shown, config.activation);
  const top = new Top(graph, anatomy, hidden, config);
  addHead(top);
  if (pooling) addPooling(graph, hidden, mask, anatomy.hidden, pooling);
  const { nodes, tensors, inputs, outputs } = graph;
  const left = [
    ...anatomy.top.filter(({ id }) => !top.used.has(id)).map(({ id }) => id),
    ...anatomy.unclaimed.map(({ name }) => name).filter(name => !top.used.has(name)),
  ];
  const initializers = [...tensors.keys()];
  const opsets = new Map([['', OPSET]]);
  return { graph: { name: anatomy.family, inputs, outputs, nodes, initializers, opsets, irVersion: IR_VERSION }, tensors, left };
}

/** What config.json says about the arithmetic, and what transformers takes where it does not. */
function configOf({ config }: Model, { family }: Anatomy) {
  const { layer_norm_eps: epsilon, hidden_act: hidden, activation: own, pad_token_id: padding } = config;
  const stated = family === 'distilbert' ? (own ?? hidden) : hidden;
  return {
    // DistilBERT's is written into its code.
    epsilon: typeof epsilon === 'number' && family !== 'distilbert' ? epsilon : 1e-12,
    activation: typeof stated === 'string' ? stated : family === 'albert' ? 'gelu_new' : 'gelu',
    untied: config.tie_word_embeddings === false,
    // MPNet's is written into its code.
    padding: countedPositions.includes(family) ? (typeof padding === 'number' && family !== 'mpnet' ? padding : 1) : undefined,
  };
}

const countedPositions: readonly string[] = ['roberta', 'xlm-roberta', 'camembert', 'mpnet'];
