import { sentence } from '../../src/core/errors.ts';
import type {
  Change,
  Comparison,
  ComparisonNode,
  ComparisonRow,
  CompressReport,
  WeightError,
} from '../../src/core/report/comparison.ts';
import type { NodeKind } from '../../src/core/report/tree.ts';

// Comparisons for tests: shapes and sizes of all-MiniLM-L6-v2, errors drawn from a fixed seed.

type Part = { readonly dtype: string; readonly shape: readonly number[] } | null;
const bits: Record<string, number> = { fp32: 32, fp16: 16, int8: 8, uint8: 8, int64: 64 };
const elements = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** mulberry32: numbers in [0, 1) that are the same on every machine. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function size(part: Part, counts: boolean) {
  if (!part) return null;
  const parameters = elements(part.shape);
  return {
    parameters: counts ? parameters : 0,
    byteLength: Math.ceil((parameters * bits[part.dtype]!) / 8),
    dtype: part.dtype,
    shape: part.shape,
  };
}

function changeOf(before: Part, after: Part): Change {
  if (!before) return 'added';
  if (!after) return 'removed';
  return before.dtype === after.dtype && before.shape.join() === after.shape.join() ? 'same' : 'changed';
}

export function leaf(id: string, before: Part, after: Part, error?: WeightError, counts = true): ComparisonNode {
  const title = id.split('.').at(-1)!;
  const node = {
    id,
    kind: 'tensor' as const,
    title,
    change: changeOf(before, after),
    before: size(before, counts),
    after: size(after, counts),
  };
  return error ? { ...node, error } : node;
}

export function group(id: string, kind: NodeKind, title: string, children: readonly ComparisonNode[]): ComparisonNode {
  const sum = (side: 'before' | 'after') =>
    children.some(child => child[side])
      ? {
          parameters: children.reduce((all, child) => all + (child[side]?.parameters ?? 0), 0),
          byteLength: children.reduce((all, child) => all + (child[side]?.byteLength ?? 0), 0),
        }
      : null;
  const changes = new Set(children.map(child => child.change));
  const change = changes.size === 1 && !changes.has('changed') && !changes.has('replaced') ? [...changes][0]! : 'changed';
  const weight = kind === 'linear' ? children.find(child => child.error) : undefined;
  const own = { id, kind, title, change, before: sum('before'), after: sum('after'), children };
  return weight?.error ? { ...own, error: weight.error } : own;
}

interface Shape {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly intermediate: number;
  readonly vocabulary: number;
}
const minilm: Shape = { layers: 6, hidden: 384, heads: 12, intermediate: 1536, vocabulary: 30522 };

interface Making {
  readonly quantize: boolean;
  /** Heads that stay, for each layer. */
  readonly kept?: readonly number[];
}

function tree(shape: Shape, { quantize, kept }: Making): ComparisonNode {
  const next = random(7);
  const fp32 = (...dims: number[]): Part => ({ dtype: 'fp32', shape: dims });
  const wrong = (): WeightError => {
    const relative = 0.006 + next() * 0.009;
    return { relative, cosine: 1 - (relative * relative) / 2, maxAbs: 0.0008 + next() * 0.004 };
  };
  const linear = (id: string, title: string, out: number, input: number, outAfter = out, inAfter = input): ComparisonNode => {
    const cut = out !== outAfter || input !== inAfter;
    const weight = leaf(
      `${id}.weight`,
      fp32(out, input),
      { dtype: quantize ? 'int8' : 'fp32', shape: [outAfter, inAfter] },
      quantize || cut ? wrong() : undefined,
    );
    const scale = leaf(`${id}.weight_scale`, null, fp32(outAfter, 1), undefined, false);
    const bias = leaf(`${id}.bias`, fp32(out), fp32(outAfter));
    return group(id, 'linear', title, quantize ? [weight, scale, bias] : [weight, bias]);
  };
  const norm = (id: string): ComparisonNode =>
    group(id, 'norm', 'LayerNorm', [
      leaf(`${id}.weight`, fp32(shape.hidden), fp32(shape.hidden)),
      leaf(`${id}.bias`, fp32(shape.hidden), fp32(shape.hidden)),
    ]);
  const table = (id: string, title: string, rows: number): ComparisonNode =>
    quantize && rows > 2
      ? group(id, 'linear', title, [
          leaf(`${id}.weight`, fp32(rows, shape.hidden), { dtype: 'int8', shape: [rows, shape.hidden] }, wrong()),
          leaf(`${id}.weight_scale`, null, fp32(rows, 1), undefined, false),
        ])
      : group(id, 'linear', title, [leaf(`${id}.weight`, fp32(rows, shape.hidden), fp32(rows, shape.hidden))]);
  const layer = (index: number): ComparisonNode => {
    const id = `encoder.layer.${index}`;
    const wide = (shape.hidden / shape.heads) * (kept?.[index] ?? shape.heads);
    const { hidden, intermediate } = shape;
    return group(id, 'layer', `Layer ${index}`, [
      group(`${id}.attention`, 'attention', 'Attention', [
        linear(`${id}.attention.self.query`, 'Query', hidden, hidden, wide),
        linear(`${id}.attention.self.key`, 'Key', hidden, hidden, wide),
        linear(`${id}.attention.self.value`, 'Value', hidden, hidden, wide),
        linear(`${id}.attention.output.dense`, 'Output', hidden, hidden, hidden, wide),
        norm(`${id}.attention.output.LayerNorm`),
      ]),
      group(`${id}.feed-forward`, 'feed-forward', 'Feed-forward', [
        linear(`${id}.intermediate.dense`, 'Up', intermediate, hidden),
        linear(`${id}.output.dense`, 'Down', hidden, intermediate),
        norm(`${id}.output.LayerNorm`),
      ]),
    ]);
  };
  const header = { id: 'file.header', kind: 'other' as const, title: 'File header' };
  return group('model', 'model', 'Model', [
    group('embeddings', 'embeddings', 'Embeddings', [
      table('embeddings.word_embeddings', 'Word', shape.vocabulary),
      table('embeddings.position_embeddings', 'Position', 512),
      table('embeddings.token_type_embeddings', 'Token type', 2),
      norm('embeddings.LayerNorm'),
    ]),
    group(
      'encoder',
      'encoder',
      'Encoder',
      Array.from({ length: shape.layers }, (_, index) => layer(index)),
    ),
    group('pooler', 'pooler', 'Pooler', [linear('pooler.dense', 'Pooler', shape.hidden, shape.hidden)]),
    group('buffers', 'other', 'Buffer', [
      leaf(
        'embeddings.position_ids',
        { dtype: 'int64', shape: [1, 512] },
        quantize ? null : { dtype: 'int64', shape: [1, 512] },
        undefined,
        false,
      ),
    ]),
    {
      ...header,
      change: quantize || kept ? 'changed' : 'same',
      before: { parameters: 0, byteLength: 11_232 },
      after: { parameters: 0, byteLength: quantize || kept ? 25_688 : 11_232 },
    },
  ]);
}

/** The joined tree as the whole answer of `compare`. */
export function comparison(root: ComparisonNode, heads: Comparison['heads'], names: Comparison['names']): Comparison {
  const rows: ComparisonRow[] = [];
  const visit = (node: ComparisonNode): void => {
    if (node.kind === 'tensor') {
      const side = (part: ComparisonNode['before']) =>
        part && { dtype: part.dtype!, shape: part.shape!, parameters: part.parameters, byteLength: part.byteLength };
      rows.push({
        id: node.id,
        change: node.change,
        before: side(node.before),
        after: side(node.after),
        error: node.error ?? null,
      });
    }
    for (const child of node.children ?? []) visit(child);
  };
  visit(root);
  const sizes = (part: ComparisonNode['before']) => ({
    parameters: part?.parameters ?? 0,
    byteLength: part?.byteLength ?? 0,
    fileBytes: part?.byteLength ?? 0,
  });
  const totals = { before: sizes(root.before), after: sizes(root.after) };
  return { version: 1, names, totals, rows, tree: root, heads, outputs: null, task: null };
}

const names = { before: 'model.safetensors', after: 'model.int8.safetensors' };
const all12 = Array.from({ length: 6 }, () => 12);

export const int8 = (): Comparison => comparison(tree(minilm, { quantize: true }), { before: all12, after: all12 }, names);

export const prunedHeads = [9, 4, 8, 11, 10, 12];
export const pruned = (): Comparison =>
  comparison(
    tree(minilm, { quantize: true, kept: prunedHeads }),
    { before: all12, after: prunedHeads },
    { ...names, after: 'model.compressed.safetensors' },
  );

export const unchanged = (): Comparison =>
  comparison(tree(minilm, { quantize: false }), { before: all12, after: all12 }, { ...names, after: 'model.copy.safetensors' });

/** A row for every tensor of a model of 20,000: what a mixture of many small matrices would look like. */
export function huge(count = 20_000): Comparison {
  const next = random(11);
  const layers: ComparisonNode[] = [];
  for (let index = 0; index * 100 < count; index++) {
    const id = `encoder.layer.${index}`;
    const leaves = Array.from({ length: 100 }, (_, tensor) => {
      const relative = next() * 0.02;
      const dims = [16 + Math.floor(next() * 400), 64];
      return leaf(
        `${id}.t${tensor}`,
        { dtype: 'fp32', shape: dims },
        { dtype: 'int8', shape: dims },
        { relative, cosine: 1 - (relative * relative) / 2, maxAbs: 0.01 },
      );
    });
    layers.push(group(id, 'layer', `Layer ${index}`, leaves));
  }
  const root = group('model', 'model', 'Model', [group('encoder', 'encoder', 'Encoder', layers)]);
  return comparison(root, { before: [], after: [] }, { before: 'huge.safetensors', after: 'huge.int8.safetensors' });
}

export const hostileName = '<script>alert(1)</script>|`**"\'\u0000\u202e\\';

/** One tensor whose name is an attack on whatever prints it, and one with 10,000 characters. */
export function hostile(): Comparison {
  const part = { dtype: 'fp32', shape: [4, 4] };
  const root = group('model', 'model', 'Model', [
    {
      ...leaf(hostileName, part, { dtype: 'int8', shape: [4, 4] }, { relative: 0.01, cosine: 0.9999, maxAbs: 0.1 }),
      title: hostileName,
    },
    { ...leaf('long'.repeat(2500), part, null), title: 'long'.repeat(2500) },
  ]);
  return comparison(
    root,
    { before: [], after: [] },
    { before: '<img src=x onerror=alert(1)>.onnx', after: '](javascript:alert(1)).onnx' },
  );
}

export function made(of: Comparison): {
  readonly recipe: { version: 1; steps: { pass: string; options: Record<string, unknown> }[] };
  readonly report: CompressReport;
  readonly command: string;
} {
  const small = sentence('{n} values: nothing to gain', { n: 768 });
  const bias = sentence('a bias is too small to gain, and rounding it costs quality');
  const report: CompressReport = {
    version: 1,
    out: `/models/minilm/${of.names.after}`,
    before: of.totals.before,
    after: of.totals.after,
    edits: of.rows
      .filter(row => row.error)
      .map(row => ({ kind: 'quantize', target: row.id.replace(/\.weight$/, ''), before: 'fp32', after: 'int8' })),
    skipped: [
      { target: 'embeddings.token_type_embeddings', reason: '768 values: nothing to gain', sentence: small },
      ...of.rows.filter(row => row.id.endsWith('.bias')).map(row => ({ target: row.id, reason: bias.text, sentence: bias })),
    ],
    seconds: 1.84,
    peakBytes: 212_000_000,
  };
  return {
    recipe: { version: 1, steps: [{ pass: 'quantize', options: { scheme: 'int8', embedding_bits: 8 } }] },
    report,
    command: `headroom quantize '/models/minilm/${of.names.before}' --scheme int8 --out '/models/minilm/${of.names.after}'`,
  };
}
