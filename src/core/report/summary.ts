import { type Anatomy, type Layer, type Linear, linearsIn, type Norm, type Table, type TopOrgan } from '../anatomy/anatomy.ts';
import { embeddingIds, layerIds } from '../anatomy/ids.ts';
import { type Sentence, say } from '../errors.ts';
import type { Model, Part } from '../model/model.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { headSizes } from './head-sizes.ts';
import { branch, bytesRow, Ledger } from './ledger.ts';
import { looseId } from './organs.ts';
import { layerTitle, nameTitle, sharedLayerTitle, titles } from './titles.ts';
import type { Summary, TreeNode } from './tree.ts';

/** The answer of `inspect`: what a model is and where its parameters and bytes are. Reads nothing. */
export function summarize(model: Model, anatomy: Anatomy): Summary {
  const ledger = new Ledger(model, anatomy.copies);
  const organs = [...embeddings(ledger, anatomy), ...encoder(ledger, anatomy), ...top(ledger, anatomy)];
  const rest = [...others(ledger, anatomy), ...buffers(ledger, model, anatomy)];
  const tree = branch('model', 'model', nameTitle(model.name), [...organs, ...rest, ...fileRows(model, ledger)]);
  const counted = anatomy.layers.length > 0 ? organs : tree.children!;
  const { layers, family, task, hidden, vocabulary, positions, notBert } = anatomy;
  return {
    version: 1,
    file: {
      name: model.name,
      format: model.format,
      byteLength: model.byteLength,
      parts: model.parts.map(({ kind, byteLength }) => ({ kind, byteLength })),
    },
    model: {
      family,
      task,
      hidden,
      layers: layers.length,
      heads: layers.map(layer => layer.heads),
      headDim: layers[0]?.headDim ?? 0,
      intermediate: layers.map(layer => layer.up.out),
      vocabulary,
      positions,
      parameters: counted.reduce((sum, row) => sum + row.parameters, 0),
      byteLength: [...ledger.byDtype.values()].reduce((sum, bytes) => sum + bytes, 0),
      complete: model.complete,
      dtypes: [...ledger.byDtype]
        .map(([dtype, byteLength]) => ({ dtype, byteLength }))
        .sort((a, b) => b.byteLength - a.byteLength),
      ...graphOf(model),
      ...(notBert && { notBert }),
    },
    tree,
    heads: layers.flatMap(headSizes),
    warnings: [...model.warnings, ...(anatomy.warnings ?? [])].map(({ code, message }) => ({
      code,
      message: say(message),
      sentence: message,
    })),
  };
}

function graphOf({ graph }: Model): Pick<Summary['model'], 'graph'> {
  if (!graph) return {};
  const opset = graph.opsets.get('') ?? graph.opsets.get('ai.onnx') ?? 0;
  return { graph: { opset, producer: graph.producer, nodes: graph.nodes.length } };
}

const tableTitles: Readonly<Record<string, Sentence>> = {
  [embeddingIds.word]: titles.word,
  [embeddingIds.position]: titles.position,
  [embeddingIds.tokenType]: titles.tokenType,
};

function embeddings(ledger: Ledger, { tables, embeddingNorm, embeddingProjection }: Anatomy): TreeNode[] {
  const rows = tables.map(table => tableRow(ledger, table));
  if (embeddingNorm) rows.push(...normRow(ledger, embeddingNorm));
  if (embeddingProjection) rows.push(linearRow(ledger, embeddingProjection, titles.projection));
  return rows.length > 0 ? [branch('embeddings', 'embeddings', titles.embeddings, rows)] : [];
}

function tableRow(ledger: Ledger, table: Table): TreeNode {
  const { id, weight, rows, width } = table;
  const children = [ledger.row(`${id}.weight`, titles.weight, weight, rows * width), ...scaleRows(ledger, table)];
  return { ...branch(id, 'embeddings', tableTitles[id] ?? nameTitle(id), children), dtype: weight.dtype, shape: weight.shape };
}

function encoder(ledger: Ledger, { layers }: Anatomy): TreeNode[] {
  return layers.length > 0
    ? [
        branch(
          'encoder',
          'encoder',
          titles.encoder,
          layers.map(layer => (layer.stored === layer.index ? layerRow(ledger, layer) : sharedRow(ledger, layer))),
        ),
      ]
    : [];
}

function layerRow(ledger: Ledger, layer: Layer): TreeNode {
  const id = layerIds(layer.index).layer;
  const attention = [
    linearRow(ledger, layer.query, titles.query),
    linearRow(ledger, layer.key, titles.key),
    linearRow(ledger, layer.value, titles.value),
    linearRow(ledger, layer.output, titles.output),
    ...normRow(ledger, layer.attentionNorm),
  ];
  const feedForward = [
    linearRow(ledger, layer.up, titles.up),
    linearRow(ledger, layer.down, titles.down),
    ...normRow(ledger, layer.outputNorm),
  ];
  return branch(id, 'layer', layerTitle(layer.index), [
    branch(`${id}.attention`, 'attention', titles.attention, attention),
    branch(`${id}.feed_forward`, 'feed-forward', titles.feedForward, feedForward),
  ]);
}

/** A layer that uses another one's numbers: rows only for what it stores a second time. */
function sharedRow(ledger: Ledger, layer: Layer): TreeNode {
  const rows: TreeNode[] = [];
  const add = (id: string, title: Sentence, tensor: Tensor | undefined, parameters?: number) => {
    if (tensor && !ledger.has(tensor)) rows.push(ledger.row(id, title, tensor, parameters));
  };
  for (const { id, weight, bias, scale, zeroPoint, sums } of linearsIn(layer)) {
    add(`${id}.weight`, titles.weight, weight);
    add(`${id}.bias`, titles.bias, bias);
    add(`${id}.weight_scale`, titles.scale, scale, 0);
    add(`${id}.weight_zero_point`, titles.zeroPoint, zeroPoint, 0);
    add(`${id}.weight_sums`, titles.sums, sums, 0);
  }
  for (const { id, weight, bias } of [layer.attentionNorm, layer.outputNorm]) {
    add(`${id}.weight`, titles.weight, weight);
    add(`${id}.bias`, titles.bias, bias);
  }
  return branch(layerIds(layer.index).layer, 'layer', sharedLayerTitle(layer.index, layer.stored), rows);
}

function linearRow(ledger: Ledger, linear: Linear, title: Sentence, id = linear.id): TreeNode {
  const { weight, bias } = linear;
  const children = [ledger.row(`${id}.weight`, titles.weight, weight, linear.out * linear.in)];
  if (bias) children.push(ledger.row(`${id}.bias`, titles.bias, bias));
  children.push(...scaleRows(ledger, { ...linear, id }));
  return { ...branch(id, 'linear', title, children), dtype: weight.dtype, shape: weight.shape };
}

/** What scales an integer matrix: bytes of its row, but no parameters. One number that several matrices read is shown once. */
function scaleRows(
  ledger: Ledger,
  { id, scale, zeroPoint, sums }: Pick<Linear, 'id' | 'scale' | 'zeroPoint' | 'sums'>,
): TreeNode[] {
  const row = (name: string, title: Sentence, tensor: Tensor | undefined) =>
    tensor && !ledger.has(tensor) ? [ledger.row(`${id}.${name}`, title, tensor, 0)] : [];
  return [
    ...row('weight_scale', titles.scale, scale),
    ...row('weight_zero_point', titles.zeroPoint, zeroPoint),
    ...row('weight_sums', titles.sums, sums),
  ];
}

function normRow(ledger: Ledger, { id, weight, bias }: Norm, title = titles.norm as Sentence): TreeNode[] {
  const children = [
    ...(weight ? [ledger.row(`${id}.weight`, titles.weight, weight)] : []),
    ...(bias ? [ledger.row(`${id}.bias`, titles.bias, bias)] : []),
  ];
  return children.length > 0 ? [branch(id, 'norm', title, children)] : [];
}

function top(ledger: Ledger, { top: organs }: Anatomy): TreeNode[] {
  const pooler = organs.filter(organ => organ.role === 'pooler').flatMap(organ => topRows(ledger, organ));
  const head = organs.filter(organ => organ.role === 'head').flatMap(organ => topRows(ledger, organ));
  return [...poolerRow(pooler), ...(head.length > 0 ? [branch('task', 'task', titles.task, head)] : [])];
}

/** ALBERT's pooler is the matrix itself; others hold one. */
function poolerRow(rows: readonly TreeNode[]): TreeNode[] {
  const [only] = rows;
  if (!only) return [];
  if (only.id === 'pooler') return [{ ...only, kind: 'pooler', title: say(titles.pooler), titleSentence: titles.pooler }];
  return [branch('pooler', 'pooler', titles.pooler, rows)];
}

function topRows(ledger: Ledger, { id, linear, norm, tensor }: TopOrgan): TreeNode[] {
  const title = id === 'pooler.dense' ? titles.dense : nameTitle(id);
  if (linear) return [linearRow(ledger, linear, title)];
  if (norm) return normRow(ledger, norm, nameTitle(id));
  return tensor ? [ledger.row(`${id}.bias`, nameTitle(id), tensor)] : [];
}

/** What no organ claims; in a model that is no BERT, its matrices first. */
function others(ledger: Ledger, { layers, linears, unclaimed }: Anatomy): TreeNode[] {
  const matrices =
    layers.length > 0 ? [] : linears.map(linear => linearRow(ledger, linear, nameTitle(linear.id), looseId(linear)));
  const taken = new Set(matrices.flatMap(row => [row.id, ...row.children!.map(child => child.id)]));
  const tensors = unclaimed.map(tensor => ledger.row(unusedId(`other/${tensor.name}`, taken), nameTitle(tensor.name), tensor));
  const rows = [...matrices, ...tensors];
  return rows.length > 0 ? [branch('other', 'other', titles.other, rows)] : [];
}

/** Tensor names are free text: one may be another row's id. */
function unusedId(wanted: string, taken: Set<string>): string {
  let id = wanted;
  for (let count = 2; taken.has(id); count++) id = `${wanted} (${count})`;
  taken.add(id);
  return id;
}

function buffers(ledger: Ledger, model: Model, anatomy: Anatomy): TreeNode[] {
  const copies = [...anatomy.copies.keys()].flatMap(name => model.tensors.get(name) ?? []);
  const rows = [...anatomy.buffers, ...copies]
    .filter(tensor => !ledger.has(tensor))
    .map(tensor => ledger.row(`buffers/${tensor.name}`, nameTitle(tensor.name), tensor, 0));
  return rows.length > 0 ? [branch('buffers', 'other', titles.buffers, rows)] : [];
}

/** What the files hold beside tensors; with it the rows sum to the files' length. */
function fileRows({ parts }: Model, ledger: Ledger): TreeNode[] {
  const size = (kind: Part['kind']) => parts.filter(part => part.kind === kind).reduce((sum, part) => sum + part.byteLength, 0);
  return [
    bytesRow('file.header', titles.header, size('header')),
    bytesRow('file.graph', titles.graph, size('graph')),
    bytesRow('file.padding', titles.padding, size('padding')),
    bytesRow('file.metadata', titles.metadata, size('metadata')),
    bytesRow('file.between', titles.between, ledger.left),
  ].filter(row => row.byteLength > 0);
}
