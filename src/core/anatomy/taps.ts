import type { Graph, Node } from '../model/graph.ts';
import type { Model } from '../model/model.ts';
import type { Anatomy } from './anatomy.ts';
import { type Block, blockAround } from './block.ts';
import { withFactors } from './factored.ts';
import { asFloats, settled } from './float-values.ts';
import { type Anchor, type Flow, flowOf, pathTo, softmaxes } from './flow.ts';
import { normalizesOwn, skips } from './fused.ts';
import { inlined } from './inlined.ts';
import { type LinearTaps, linearTaps } from './linear-taps.ts';
import { normEnd } from './norm-end.ts';
import { chain } from './trace.ts';
import { wire } from './wiring.ts';

// B batch, T tokens, H heads, C hidden

/** Values of the graph in and around one layer, by name. What an operator keeps to itself is undefined. */
export interface LayerTaps {
  /** The layer as it runs, from 0. */
  readonly index: number;
  /** The hidden state that enters the layer: what its residual sum adds. Floats [B, T, C]; some exporters write [B * T, C]. */
  readonly input?: string;
  /** Behind attention's residual sum and, in a BERT, its norm: what the second residual sum adds. */
  readonly attentionNormOut?: string;
  /** The hidden state that leaves the layer; the last one's without a norm that stands behind all layers. */
  readonly output?: string;
  /** [B, H, T, T]. Absent where attention is one operator. */
  readonly attentionProbabilities?: string;
  /** What enters the output projection. */
  readonly context?: string;
  /** The Softmax, or the operator that holds it. */
  readonly attention: Node;
  /** The sums at the end of attention and of the feed-forward network, and the value that each adds to its half. */
  readonly sums: readonly [Residual, Residual] | undefined;
}

export interface Residual {
  readonly node: Node;
  readonly added: string;
}

/** Where a graph's hidden states and the inputs and outputs of its matrices can be looked at. */
export interface Taps extends LinearTaps {
  /** What enters layer 0. */
  readonly embeddings?: string;
  /** As many as the anatomy has; none for a model without layers. */
  readonly layers: readonly LayerTaps[];
}

/** One pass over the graph; reads no weights. `anatomy` is the one that was found in this very model. */
export function taps(model: Model & { readonly graph: Graph }, anatomy: Anatomy): Taps {
  const { graph, tensors } = inlined(model.graph, model.tensors);
  // The anatomy knows already that its masks hide no future.
  const flow = withFactors(flowOf({ ...wire(graph, tensors), open: new Set(tensors.keys()) }));
  const found = new Map<Block, Node>();
  for (const node of flow.attentions) {
    const block = blockAround(flow, node);
    if (typeof block !== 'string') found.set(block, node);
  }
  const blocks = chain([...found.keys()]);
  const matches = blocks.length === anatomy.layers.length;
  const isOuter = valuesOf(model.graph);
  const outer = (value: string | undefined) => (value !== undefined && isOuter.has(value) ? value : undefined);
  const inputs = blocks.map(block => outer(inputOf(flow, block)));
  const layers = blocks.map((block, index) =>
    layerTaps(flow, block, found.get(block)!, outer, {
      index,
      input: inputs[index],
      output: inputs[index + 1] ?? outer(lastOutput(flow, block)),
    }),
  );
  return {
    ...(matches && inputs[0] !== undefined && { embeddings: inputs[0] }),
    layers: matches ? layers : [],
    ...linearTaps(flow.wiring, anatomy, outer),
  };
}

/** What functions and inner graphs make is no value of the graph, and can be no output of it. */
const valuesOf = ({ nodes, inputs }: Graph): ReadonlySet<string> =>
  new Set([...inputs.map(({ name }) => name), ...nodes.flatMap(({ outputs }) => outputs)]);

function layerTaps(
  flow: Flow,
  block: Block,
  attention: Node,
  outer: (value: string | undefined) => string | undefined,
  { index, input, output }: { index: number; input: string | undefined; output: string | undefined },
): LayerTaps {
  const between = outer(attendedOutput(flow, block));
  const isSoftmax = softmaxes.has(attention.opType);
  const probabilities = isSoftmax ? outer(asFloats(flow.wiring, attention.outputs[0] ?? '')) : undefined;
  const context = outer(asFloats(flow.wiring, block.output.product!.input));
  return {
    index,
    ...(input !== undefined && { input }),
    ...(between !== undefined && { attentionNormOut: between }),
    ...(output !== undefined && { output }),
    ...(probabilities !== undefined && { attentionProbabilities: probabilities }),
    ...(context !== undefined && { context }),
    attention,
    sums: sumsOf(block, outer),
  };
}

/** undefined where a sum is within a function, or adds something else than what enters its half. */
function sumsOf(
  { attended, fed, source, read }: Block,
  outer: (value: string | undefined) => string | undefined,
): LayerTaps['sums'] {
  const [first, second] = [addedTo(attended, source, read), addedTo(fed, attended)].map(found =>
    found && outer(found.added) !== undefined && found.node.outputs.every(name => name === '' || outer(name)) ? found : undefined,
  );
  return first && second ? [first, second] : undefined;
}

function addedTo(sum: Anchor, source: Anchor, otherwise?: string): Residual | undefined {
  const at = sum.from.indexOf(source);
  const added = at < 0 ? undefined : sum.reads[at] || otherwise;
  return added && sum.node ? { node: sum.node, added } : undefined;
}

/** What attention's residual sum adds; where a layer works in a narrower space, what is narrowed for it. */
const inputOf = (flow: Flow, { attended, source, read }: Block): string | undefined =>
  residual(flow, attended, source) ?? settled(flow.wiring, read);

/** What the second residual sum adds; where several networks follow each other, what the first reads. */
function attendedOutput(flow: Flow, { attended, fed, up, earlier, isNormalizedBefore }: Block): string | undefined {
  const added = residual(flow, fed, attended);
  if (added !== undefined || isNormalizedBefore) return added;
  const read = (earlier?.[0]?.up ?? up).reads[0];
  return read === undefined ? undefined : settled(flow.wiring, read);
}

/** What a residual sum adds to its branch, without the steps of quantization and casts that may stand in between. */
function residual(flow: Flow, sum: Anchor, source: Anchor): string | undefined {
  const read = sum.reads[sum.from.indexOf(source)];
  return read === undefined ? undefined : settled(flow.wiring, read);
}

/** Nobody adds what leaves the last layer: it is the sum itself, or what its norm makes of it. */
function lastOutput(flow: Flow, { fed, isNormalizedBefore }: Block): string | undefined {
  const node = fed.node!;
  const [first, , , sum] = node.outputs;
  if (isNormalizedBefore) return skips.has(node.opType) ? sum || first : asFloats(flow.wiring, first ?? '');
  if (normalizesOwn(node)) return first;
  for (const { value } of fed.uses) {
    const end = normEnd(flow, pathTo(flow, value));
    if (end) return asFloats(flow.wiring, end.outputs[0] ?? '');
  }
  return asFloats(flow.wiring, first ?? '');
}
