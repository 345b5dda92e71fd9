import type { Anatomy } from '../anatomy/anatomy.ts';
import { say } from '../errors.ts';
import type { Model, Part } from '../model/model.ts';
import { headSizes } from './head-sizes.ts';
import { branch, bytesRow, Ledger } from './ledger.ts';
import { embeddings, encoder, linearRow, top } from './organ-rows.ts';
import { looseId } from './organs.ts';
import { titles } from './titles.ts';
import type { Summary, TreeNode } from './tree.ts';
import { withUniqueIds } from './unique-ids.ts';

/** The answer of `inspect`: what a model is and where its parameters and bytes are. Reads nothing. */
export function summarize(model: Model, anatomy: Anatomy): Summary {
  const ledger = new Ledger(model, anatomy.copies);
  const organs = [...embeddings(ledger, anatomy), ...encoder(ledger, anatomy), ...top(ledger, anatomy)];
  const rest = [...others(ledger, anatomy), ...buffers(ledger, model, anatomy)];
  const tree = withUniqueIds(branch('model', 'model', model.name, [...organs, ...rest, ...fileRows(model, ledger)]));
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

/** What no organ claims; in a model that is no BERT, its matrices first. */
function others(ledger: Ledger, { layers, linears, unclaimed }: Anatomy): TreeNode[] {
  const matrices = layers.length > 0 ? [] : linears.map(linear => linearRow(ledger, linear, linear.id, looseId(linear)));
  const tensors = unclaimed.map(tensor => ledger.row(`other/${tensor.name}`, tensor.name, tensor));
  const rows = [...matrices, ...tensors];
  return rows.length > 0 ? [branch('other', 'other', titles.other, rows)] : [];
}

function buffers(ledger: Ledger, model: Model, anatomy: Anatomy): TreeNode[] {
  const copies = [...anatomy.copies.keys()].flatMap(name => model.tensors.get(name) ?? []);
  const rows = [...anatomy.buffers, ...copies]
    .filter(tensor => !ledger.has(tensor))
    .map(tensor => ledger.row(`buffers/${tensor.name}`, tensor.name, tensor, 0));
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
