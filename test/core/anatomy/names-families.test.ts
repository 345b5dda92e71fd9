import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { linearsIn } from '../../../src/core/anatomy/anatomy.ts';
import { detect } from '../../../src/core/anatomy/detect.ts';
import { summarize } from '../../../src/core/report/summary.ts';
import type { TreeNode } from '../../../src/core/report/tree.ts';
import { dtypeOfSafetensors } from '../../../src/core/tensor/dtype.ts';
import type { Tensor } from '../../../src/core/tensor/tensor.ts';
import { made, madeModel } from './made-models.ts';

/** What make-shapes.py counted from PyTorch modules. */
interface Shapes {
  readonly class: string;
  readonly task: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** "name=F32:24,24 …" as the file holds them. */
  readonly tensors: string;
  readonly parameters: number;
  readonly embeddings: number;
  readonly layers: readonly number[];
  /** In the encoder, but in no layer. */
  readonly around: number;
  readonly heads: readonly number[];
  readonly headDim: number;
  /** What belongs to one head of the first layer. */
  readonly head: number;
}

const path = new URL('./shapes/families.json', import.meta.url);
const models: Readonly<Record<string, Shapes>> = JSON.parse(readFileSync(path, 'utf8'));

const tensorsOf = ({ tensors }: Shapes): Tensor[] =>
  tensors.split(' ').map(each => {
    const [, name = '', dtype = '', shape = ''] = each.match(/^(.+)=(\w+):([\d,]*)$/) ?? [];
    return made(name, shape === '' ? [] : shape.split(',').map(Number), dtypeOfSafetensors(dtype)!);
  });

async function inspect(tensors: readonly Tensor[], config: Readonly<Record<string, unknown>>) {
  const model = madeModel(tensors, config);
  const anatomy = await detect(model);
  return { anatomy, summary: summarize(model, anatomy) };
}

const childrenOf = (tree: TreeNode, id: string): readonly TreeNode[] => tree.children!.find(row => row.id === id)?.children ?? [];
const sum = (rows: readonly TreeNode[]) => rows.reduce((total, row) => total + row.parameters, 0);

function checkCounts({ tree, model }: Awaited<ReturnType<typeof inspect>>['summary'], expected: Shapes): void {
  const encoder = childrenOf(tree, 'encoder');
  const layers = encoder.filter(row => row.kind === 'layer');
  assert.equal(model.parameters, expected.parameters);
  assert.deepEqual(
    layers.map(row => row.parameters),
    expected.layers,
  );
  const around = sum(encoder) - sum(layers);
  assert.equal(sum(childrenOf(tree, 'embeddings')) + around, expected.embeddings + expected.around);
  const top = sum(childrenOf(tree, 'pooler')) + sum(childrenOf(tree, 'task'));
  assert.equal(top, expected.parameters - expected.embeddings - expected.around - sum(layers));
}

for (const [name, expected] of Object.entries(models))
  test(`${name}: embeddings, layers, heads and total as PyTorch counts them, nothing left over`, async () => {
    const { anatomy, summary } = await inspect(tensorsOf(expected), expected.config);
    assert.equal(anatomy.notBert, undefined);
    assert.equal(summary.model.family, expected.config.model_type);
    assert.deepEqual(anatomy.unclaimed, []);
    checkCounts(summary, expected);
    assert.equal(summary.model.hidden, expected.config.hidden_size);
    assert.equal(summary.model.vocabulary, 61);
    assert.deepEqual(summary.model.heads, expected.heads);
    assert.equal(summary.model.headDim, expected.headDim);
    assert.equal(summary.heads[0]!.parameters, expected.head);
    assert.ok(summary.model.intermediate.every(size => size === expected.config.intermediate_size));
    const ids = (row: TreeNode): string[] => [row.id, ...(row.children ?? []).flatMap(ids)];
    const all = ids(summary.tree);
    assert.equal(new Set(all).size, all.length);
    assert.equal(summary.tree.byteLength, summary.file.byteLength);
    const stored = new Set(tensorsOf(expected).map(tensor => tensor.name));
    for (const layer of anatomy.layers)
      for (const { weight } of linearsIn(layer)) assert.ok(stored.has(weight.name), weight.name);
  });
