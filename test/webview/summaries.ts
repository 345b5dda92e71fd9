import { sentence } from '../../src/core/errors.ts';
import type { HeadSize, NodeKind, Summary, TreeNode } from '../../src/core/report/tree.ts';

// Summaries for tests, as `inspect` gives them: sizes are worked out from shapes, parents are sums.

const bytesOf: Record<string, number> = { fp32: 4, fp16: 2, int8: 1, int64: 8 };

export function tensor(
  id: string,
  shape: readonly number[],
  options: { title?: string; dtype?: string; name?: string; counts?: boolean } = {},
): TreeNode {
  const { dtype = 'fp32', name = id, counts = true } = options;
  const values = shape.reduce((product, size) => product * size, 1);
  return {
    id,
    kind: 'tensor',
    title: options.title ?? id.split('.').at(-1)!,
    parameters: counts ? values : 0,
    byteLength: values * bytesOf[dtype]!,
    dtype,
    shape,
    tensors: [name],
  };
}

export function group(
  id: string,
  kind: NodeKind,
  title: string,
  children: readonly TreeNode[],
  extra: Partial<TreeNode> = {},
): TreeNode {
  const sum = (key: 'parameters' | 'byteLength'): number => children.reduce((all, child) => all + child[key], 0);
  return {
    id,
    kind,
    title,
    titleSentence: sentence(title),
    parameters: sum('parameters'),
    byteLength: sum('byteLength'),
    children,
    ...extra,
  };
}

const linear = (id: string, title: string, out: number, input: number): TreeNode =>
  group(id, 'linear', title, [tensor(`${id}.weight`, [out, input]), tensor(`${id}.bias`, [out])], {
    dtype: 'fp32',
    shape: [out, input],
  });
const norm = (id: string, size: number): TreeNode =>
  group(id, 'norm', 'LayerNorm', [tensor(`${id}.weight`, [size]), tensor(`${id}.bias`, [size])], {
    dtype: 'fp32',
    shape: [size],
  });
const table = (id: string, title: string, rows: number, hidden: number): TreeNode =>
  tensor(`${id}.weight`, [rows, hidden], { title });
const header = (byteLength: number): TreeNode => ({
  id: 'file.header',
  kind: 'other',
  title: 'File header',
  titleSentence: sentence('File header'),
  parameters: 0,
  byteLength,
});

interface BertShape {
  readonly name?: string;
  readonly hidden: number;
  readonly headDim: number;
  /** A number a layer. */
  readonly heads: readonly number[];
  readonly intermediate: readonly number[];
  readonly vocabulary: number;
  readonly positions: number;
}

function layer(index: number, { hidden, headDim, heads, intermediate }: BertShape): TreeNode {
  const id = `encoder.layer.${index}`;
  const width = heads[index]! * headDim;
  const neurons = intermediate[index]!;
  return group(
    id,
    'layer',
    `Layer ${index}`,
    [
      group(`${id}.attention`, 'attention', 'Attention', [
        linear(`${id}.attention.self.query`, 'Query', width, hidden),
        linear(`${id}.attention.self.key`, 'Key', width, hidden),
        linear(`${id}.attention.self.value`, 'Value', width, hidden),
        linear(`${id}.attention.output.dense`, 'Output', hidden, width),
        norm(`${id}.attention.output.LayerNorm`, hidden),
      ]),
      group(`${id}.feed_forward`, 'feed-forward', 'Feed-forward', [
        linear(`${id}.intermediate.dense`, 'Up', neurons, hidden),
        linear(`${id}.output.dense`, 'Down', hidden, neurons),
        norm(`${id}.output.LayerNorm`, hidden),
      ]),
    ],
    { titleSentence: sentence('Layer {n}', { n: index }) },
  );
}

export function bert(shape: BertShape): Summary {
  const { hidden, headDim, heads, intermediate, vocabulary, positions } = shape;
  const children = [
    group('embeddings', 'embeddings', 'Embeddings', [
      table('embeddings.word_embeddings', 'Word', vocabulary, hidden),
      table('embeddings.position_embeddings', 'Position', positions, hidden),
      table('embeddings.token_type_embeddings', 'Token type', 2, hidden),
      norm('embeddings.LayerNorm', hidden),
    ]),
    group(
      'encoder',
      'encoder',
      'Encoder',
      heads.map((_, index) => layer(index, shape)),
    ),
    group('pooler', 'pooler', 'Pooler', [linear('pooler.dense', 'Dense', hidden, hidden)]),
    tensor('embeddings.position_ids', [1, positions], { title: 'Buffer', dtype: 'int64', counts: false }),
    header(11_312),
  ];
  const tree = group('model', 'model', 'Model', children);
  const headSizes: HeadSize[] = heads.flatMap((many, at) =>
    Array.from({ length: many }, (_, head) => {
      const parameters = 4 * headDim * hidden + 3 * headDim;
      return { layer: at, head, parameters, byteLength: parameters * 4 };
    }),
  );
  return {
    version: 1,
    file: {
      name: shape.name ?? 'model.safetensors',
      format: 'safetensors',
      byteLength: tree.byteLength,
      parts: [
        { kind: 'header', byteLength: 11_312 },
        { kind: 'tensors', byteLength: tree.byteLength - 11_312 },
      ],
    },
    model: {
      family: 'bert',
      task: 'base',
      hidden,
      layers: heads.length,
      heads,
      headDim,
      intermediate,
      vocabulary,
      positions,
      parameters: tree.parameters,
      byteLength: tree.byteLength - 11_312,
      complete: true,
      dtypes: [
        { dtype: 'fp32', byteLength: tree.byteLength - 11_312 - positions * 8 },
        { dtype: 'int64', byteLength: positions * 8 },
      ],
    },
    tree,
    heads: headSizes,
    warnings: [],
  };
}

const times = (count: number, value: number): number[] => Array.from({ length: count }, () => value);

/** The sizes of all-MiniLM-L6-v2: 22,713,216 parameters. */
export const minilm = (): Summary =>
  bert({ hidden: 384, headDim: 32, heads: times(6, 12), intermediate: times(6, 1536), vocabulary: 30522, positions: 512 });

/** BERT-base: 109,482,240 parameters. */
export const bertBase = (): Summary =>
  bert({ hidden: 768, headDim: 64, heads: times(12, 12), intermediate: times(12, 3072), vocabulary: 30522, positions: 512 });

/** Heads and neurons already pruned, a different number in each layer. */
export const pruned = (): Summary =>
  bert({
    name: 'pruned.safetensors',
    hidden: 384,
    headDim: 32,
    heads: [12, 9, 12, 4, 11, 2],
    intermediate: [1536, 1200, 1536, 700, 1024, 1536],
    vocabulary: 30522,
    positions: 512,
  });

/** A flat list of `tensors`, as of any model that is no BERT. */
export function notBert(tensors: readonly TreeNode[] = resnet): Summary {
  const tree = group('model', 'model', 'Model', [...tensors, header(9_000)]);
  return {
    version: 1,
    file: {
      name: 'resnet18.onnx',
      format: 'onnx',
      byteLength: tree.byteLength,
      parts: [
        { kind: 'graph', byteLength: 9_000 },
        { kind: 'tensors', byteLength: tree.byteLength - 9_000 },
      ],
    },
    model: {
      family: 'unknown',
      task: 'unknown',
      hidden: 0,
      layers: 0,
      heads: [],
      headDim: 0,
      intermediate: [],
      vocabulary: 0,
      positions: 0,
      parameters: tree.parameters,
      byteLength: tree.byteLength - 9_000,
      complete: true,
      dtypes: [{ dtype: 'fp32', byteLength: tree.byteLength - 9_000 }],
      graph: { opset: 17, producer: 'pytorch 2.3', nodes: 49 },
      notBert: sentence('No BERT layers were found: nothing here looks like attention. Tensors and sizes are shown.'),
    },
    tree,
    heads: [],
    warnings: [],
  };
}

const resnet = [
  tensor('layer4.1.conv2.weight', [512, 512, 3, 3], { title: 'layer4.1.conv2.weight' }),
  tensor('layer4.1.conv1.weight', [512, 512, 3, 3], { title: 'layer4.1.conv1.weight' }),
  tensor('layer4.0.conv1.weight', [512, 256, 3, 3], { title: 'layer4.0.conv1.weight' }),
  tensor('layer3.1.conv2.weight', [256, 256, 3, 3], { title: 'layer3.1.conv2.weight' }),
  tensor('fc.weight', [1000, 512], { title: 'fc.weight' }),
  tensor('fc.bias', [1000], { title: 'fc.bias' }),
];

/** `count` tensors without structure. */
export const many = (count: number): Summary =>
  notBert(
    Array.from({ length: count }, (_, index) =>
      tensor(`block.${index}.weight`, [16, (index % 64) + 1], { title: `block.${index}.weight` }),
    ),
  );

export const empty = (): Summary => {
  const nothing = notBert([]);
  return { ...nothing, file: { ...nothing.file, name: 'model.safetensors', format: 'safetensors', byteLength: 8 } };
};
