import {
  type Anatomy,
  type Compact,
  type ExtraOrgan,
  type Factors,
  type Layer,
  type Linear,
  linearsIn,
  type Norm,
  type Table,
  type TopOrgan,
} from '../anatomy/anatomy.ts';
import { embeddingIds, layerIds } from '../anatomy/ids.ts';
import { type Sentence, say } from '../errors.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { branch, type Ledger } from './ledger.ts';
import { extraTitle, layerTitle, sharedLayerTitle, titles } from './titles.ts';
import type { TreeNode } from './tree.ts';

// The rows of a BERT's organs: embeddings, layers, what stands on top.

const tableTitles: Readonly<Record<string, Sentence>> = {
  [embeddingIds.word]: titles.word,
  [embeddingIds.position]: titles.position,
  [embeddingIds.tokenType]: titles.tokenType,
};

export function embeddings(
  ledger: Ledger,
  { tables, embeddingNorm, embeddingProjection, embeddingExtra = [] }: Anatomy,
): TreeNode[] {
  const rows = tables.map(table => tableRow(ledger, table));
  if (embeddingNorm) rows.push(...normRow(ledger, embeddingNorm));
  if (embeddingProjection) rows.push(linearRow(ledger, embeddingProjection, titles.projection));
  rows.push(...embeddingExtra.flatMap(organ => extraRows(ledger, organ)));
  return rows.length > 0 ? [branch('embeddings', 'embeddings', titles.embeddings, rows)] : [];
}

function tableRow(ledger: Ledger, table: Table, title = tableTitles[table.id] ?? extraTitle(table.id)): TreeNode {
  const { id, weight, rows, width, packed } = table;
  const children = [
    ledger.row(`${id}.weight`, titles.weight, weight, rows * width, packed?.dtype),
    ...scaleRows(ledger, table),
    ...packingRows(ledger, table),
  ];
  return { ...branch(id, 'embeddings', title, children), ...storedAs(packed, weight, [rows, width]) };
}

/** The type and shape of what a packed tensor stands for. */
const storedAs = (packed: Linear['packed'], { dtype, shape }: Tensor, acting: readonly [number, number]) =>
  packed ? { dtype: packed.dtype, shape: acting } : { dtype, shape };

/** The layers, and behind them what they share. */
export function encoder(ledger: Ledger, { layers, encoderExtra = [] }: Anatomy): TreeNode[] {
  if (layers.length === 0) return [];
  const rows = layers.map(layer => (layer.stored === layer.index ? layerRow(ledger, layer) : sharedRow(ledger, layer)));
  return [branch('encoder', 'encoder', titles.encoder, [...rows, ...encoderExtra.flatMap(organ => extraRows(ledger, organ))])];
}

function layerRow(ledger: Ledger, layer: Layer): TreeNode {
  const id = layerIds(layer.index).layer;
  const { extra = [] } = layer;
  const beside = (part: ExtraOrgan['part']) =>
    extra.filter(organ => organ.part === part).flatMap(organ => extraRows(ledger, organ));
  const attention = [
    ...storedRows(ledger, [
      [layer.query, titles.query],
      [layer.key, titles.key],
      [layer.value, titles.value],
      [layer.output, titles.output],
    ]),
    ...beside('attention'),
    ...normRow(ledger, layer.attentionNorm),
  ];
  const feedForward = [
    ...storedRows(ledger, [
      [layer.up, titles.up],
      ...(layer.gate ? [[layer.gate, titles.gate] as const] : []),
      [layer.down, titles.down],
    ]),
    ...beside('feed-forward'),
    ...normRow(ledger, layer.outputNorm),
  ];
  return branch(id, 'layer', layerTitle(layer.index), [
    branch(`${id}.attention`, 'attention', titles.attention, attention),
    branch(`${id}.feed_forward`, 'feed-forward', titles.feedForward, feedForward),
    ...beside('layer'),
  ]);
}

/** One row for each matrix that is stored: several that are parts of one have its row. */
function storedRows(ledger: Ledger, linears: readonly (readonly [Linear, Sentence])[]): TreeNode[] {
  const wholes = new Map<Linear, Sentence | string>();
  for (const [linear, title] of linears)
    if (linear.within) wholes.set(linear.within, extraTitle(linear.within.id));
    else wholes.set(linear, title);
  return [...wholes].map(([linear, title]) => linearRow(ledger, linear, title));
}

function extraRows(ledger: Ledger, { id, linear, table, norm, tensors = [] }: ExtraOrgan): TreeNode[] {
  const title = extraTitle(id);
  if (linear) return [linearRow(ledger, linear, title)];
  if (table) return [tableRow(ledger, table, title)];
  if (norm) return normRow(ledger, norm, title);
  const named = { weight: titles.weight, bias: titles.bias } as Readonly<Record<string, Sentence>>;
  const [only] = tensors;
  if (only?.[0] === '') return [ledger.row(id, title, only[1])];
  return [
    branch(
      id,
      'linear',
      title,
      tensors.map(([part, tensor]) => ledger.row(`${id}.${part}`, named[part] ?? part, tensor)),
    ),
  ];
}

/** A layer that uses another one's numbers: rows only for what it stores a second time. */
function sharedRow(ledger: Ledger, layer: Layer): TreeNode {
  const rows: TreeNode[] = [];
  const add = (id: string, title: Sentence, tensor: Tensor | undefined, parameters?: number) => {
    if (tensor && !ledger.has(tensor)) rows.push(ledger.row(id, title, tensor, parameters));
  };
  for (const { id, weight, bias, scale, zeroPoint, sums, smoothing } of linearsIn(layer)) {
    add(`${id}.weight`, titles.weight, weight);
    add(`${id}.bias`, titles.bias, bias);
    add(`${id}.weight_scale`, titles.scale, scale, 0);
    add(`${id}.weight_zero_point`, titles.zeroPoint, zeroPoint, 0);
    add(`${id}.weight_sums`, titles.sums, sums, 0);
    add(`${id}.smoothing`, titles.smoothing, smoothing, 0);
  }
  for (const { id, weight, bias } of [layer.attentionNorm, layer.outputNorm, ...extraNorms(layer)]) {
    add(`${id}.weight`, titles.weight, weight);
    add(`${id}.bias`, titles.bias, bias);
  }
  return branch(layerIds(layer.index).layer, 'layer', sharedLayerTitle(layer.index, layer.stored), rows);
}

const extraNorms = ({ extra = [] }: Layer): Norm[] => extra.flatMap(organ => organ.norm ?? []);

export function linearRow(ledger: Ledger, linear: Linear, title: Sentence | string, id = linear.id): TreeNode {
  const { weight, bias, packed, groups = 1, factors } = linear;
  if (linear.compact) return compactRow(ledger, linear, linear.compact, title, id);
  if (factors) return factoredRow(ledger, linear, factors, title, id);
  const children = [ledger.row(`${id}.weight`, titles.weight, weight, (linear.out * linear.in) / groups, packed?.dtype)];
  if (bias) children.push(ledger.row(`${id}.bias`, titles.bias, bias));
  if (linear.scale || linear.zeroPoint || linear.sums) children.push(...scaleRows(ledger, { ...linear, id }));
  if (packed) children.push(...packingRows(ledger, { id, packed }));
  return Object.assign(branch(id, 'linear', title, children), storedAs(packed, weight, [linear.out, linear.in]));
}

const partTitles: Readonly<Record<Compact['kind'], readonly Sentence[]>> = {
  kronecker: [titles.leftFactors, titles.rightFactors],
  'block-diagonal': [titles.blocks, titles.firstFactor, titles.secondFactor],
};

/** A compact form as its parts; its bias is its own. */
function compactRow(ledger: Ledger, linear: Linear, { kind, parts }: Compact, title: Sentence | string, id: string) {
  const { bias, out, in: width, weight } = linear;
  const children = [
    ...parts.map((part, i) => linearRow(ledger, part, partTitles[kind][i]!, part.id)),
    ...(bias ? [ledger.row(`${id}.bias`, titles.bias, bias)] : []),
  ];
  return { ...branch(id, 'linear', title, children), dtype: weight.dtype, shape: [out, width] };
}

/** A factored matrix as its two factors; its bias is its own. */
function factoredRow(
  ledger: Ledger,
  { bias, out, in: width, weight }: Linear,
  factors: Factors,
  title: Sentence | string,
  id: string,
) {
  const { bias: _, ...second } = factors.second;
  const children = [
    linearRow(ledger, factors.first, titles.firstFactor, `${id}.first`),
    linearRow(ledger, second, titles.secondFactor, `${id}.second`),
    ...(bias ? [ledger.row(`${id}.bias`, titles.bias, bias)] : []),
  ];
  return { ...branch(id, 'linear', title, children), dtype: weight.dtype, shape: [out, width] };
}

/** Parts that are called the same in the words of several tools. */
const packingTitles: Readonly<Record<string, Sentence>> = {
  weight_scale: titles.scale,
  scales: titles.scale,
  weight_zero_point: titles.zeroPoint,
  qzeros: titles.zeroPoint,
};

/** What unpacks a packed matrix: bytes of its row, but no parameters. */
function packingRows(ledger: Ledger, { id, packed }: Pick<Linear, 'id' | 'packed'>): TreeNode[] {
  return (packed?.tensors ?? []).map(tensor => {
    const part = tensor.name.replace(/^.*\.(?=[^.]+$|weight\.[^.]+(\.[^.]+)?$)/, '');
    return ledger.row(`${id}.${part}`, packingTitles[part] ?? part, tensor, 0);
  });
}

/** What scales an integer matrix: bytes of its row, but no parameters. One number that several matrices read is shown once. */
function scaleRows(
  ledger: Ledger,
  { id, scale, zeroPoint, sums, smoothing }: Pick<Linear, 'id' | 'scale' | 'zeroPoint' | 'sums' | 'smoothing'>,
): TreeNode[] {
  const row = (name: string, title: Sentence, tensor: Tensor | undefined) =>
    tensor && !ledger.has(tensor) ? [ledger.row(`${id}.${name}`, title, tensor, 0)] : [];
  return [
    ...row('weight_scale', titles.scale, scale),
    ...row('weight_zero_point', titles.zeroPoint, zeroPoint),
    ...row('weight_sums', titles.sums, sums),
    ...row('smoothing', titles.smoothing, smoothing),
  ];
}

function normRow(ledger: Ledger, { id, weight, bias }: Norm, title: Sentence | string = titles.norm): TreeNode[] {
  const children = [
    ...(weight ? [ledger.row(`${id}.weight`, titles.weight, weight)] : []),
    ...(bias ? [ledger.row(`${id}.bias`, titles.bias, bias)] : []),
  ];
  return children.length > 0 ? [branch(id, 'norm', title, children)] : [];
}

export function top(ledger: Ledger, { top: organs }: Anatomy): TreeNode[] {
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
  const title = id === 'pooler.dense' ? titles.dense : id;
  if (linear) return [linearRow(ledger, linear, title)];
  if (norm) return normRow(ledger, norm, id);
  return tensor ? [ledger.row(`${id}.bias`, id, tensor)] : [];
}
