import { sentence } from '../../src/core/errors.ts';
import type { CompressView, DryRun, PassInfo, Recipe } from '../../src/protocol/messages.ts';
import { int8, made } from './diff-comparisons.ts';

// What the host tells the Compress form, for tests: passes with every kind of field, and a dry run that follows the recipe.

const quantize: PassInfo = {
  id: 'quantize',
  title: sentence('Quantize'),
  summary: sentence(
    'Stores weights with fewer bits. int8 keeps quality on almost every BERT and makes the file about four times smaller.',
  ),
  source: 'onnxruntime quantize_dynamic',
  needs: ['weights'],
  fields: {
    scheme: {
      kind: 'choice',
      label: sentence('Scheme'),
      help: sentence('How numbers become integers.'),
      default: 'int8',
      choices: [
        { value: 'int8', hint: sentence('batch-invariant: rows and columns scaled apart') },
        { value: 'int8-dynamic', hint: sentence('what onnxruntime writes') },
        { value: 'int4', hint: sentence('blocks; smallest with good quality') },
      ],
    },
    embedding_bits: {
      kind: 'choice',
      label: sentence('Embedding bits'),
      help: sentence('32 leaves the tables as they are.'),
      default: '8',
      choices: ['8', '4', '32'].map(value => ({ value, hint: sentence('') })),
    },
    block_size: {
      kind: 'number',
      label: sentence('Block size'),
      help: sentence('Values that share one scale.'),
      default: 32,
      min: 16,
      max: 256,
      step: 1,
      when: { scheme: ['int4'] },
    },
    symmetric: { kind: 'flag', label: sentence('Symmetric'), help: sentence('Zero stays exactly zero'), default: true },
    include: {
      kind: 'globs',
      label: sentence('Include'),
      help: sentence('Names as in the tree, * for anything, one a line.'),
      default: ['*'],
    },
    exclude: { kind: 'globs', label: sentence('Exclude'), help: sentence('Left as they are, one a line.'), default: [] },
  },
};

const other = (id: string, title: string, summary: string, needs: readonly string[] = ['weights', 'activations']): PassInfo => ({
  id,
  title: sentence(title),
  summary: sentence(summary),
  source: 'a paper',
  needs,
  fields: {
    fraction: {
      kind: 'number',
      label: sentence('Fraction'),
      help: sentence('Of all of them.'),
      default: 0.25,
      min: 0,
      max: 0.95,
      step: 0.05,
    },
  },
});

export const onePass: readonly PassInfo[] = [quantize];
export const tenPasses: readonly PassInfo[] = [
  quantize,
  other('prune-heads', 'Prune heads', 'remove whole attention heads'),
  other('prune-neurons', 'Prune neurons', 'remove feed-forward neurons'),
  other('prune-layers', 'Prune layers', 'remove whole layers'),
  other('prune-hidden', 'Prune hidden size', 'narrow every layer with PCA'),
  other('prune-vocabulary', 'Prune vocabulary', 'drop tokens you never use'),
  other('prune-weights', 'Prune weights', 'set small weights to zero; the file does not shrink', ['weights']),
  other('factorize', 'Factorize matrices', 'two thin matrices instead of one'),
  other('factorize-embeddings', 'Factorize embeddings', 'a thin word table and a projection', ['weights']),
  other('share-layers', 'Share layers', 'one set of weights for several layers', ['weights']),
];

/** One pass with the kinds of fields that `quantize` above does not have. */
export const listsAndFiles: PassInfo = {
  ...other('prune-heads', 'Prune heads', 'remove whole attention heads'),
  fields: {
    by: {
      kind: 'choice',
      label: sentence('Chosen by'),
      help: sentence('What says how much one is worth.'),
      default: 'list',
      choices: ['list', 'activation'].map(value => ({ value, hint: sentence('a way') })),
    },
    fraction: {
      kind: 'number',
      label: sentence('Share to remove'),
      help: sentence('Instead of a list.'),
      default: null,
      min: 0,
      max: 0.95,
    },
    remove: {
      kind: 'units',
      label: sentence('Remove these'),
      help: sentence('Heads of each layer.'),
      default: {},
      when: { by: ['list'] },
    },
    layers: { kind: 'integers', label: sentence('Layers'), help: sentence('Counted from 0.'), default: [] },
    groups: { kind: 'groups', label: sentence('Groups'), help: sentence('That share one set.'), default: [] },
    bits: { kind: 'by-layer', label: sentence('Bits'), help: sentence('Of each layer.'), default: 4, min: 2, max: 8 },
    keep_from: { kind: 'file', label: sentence('Keep from'), help: sentence('A text.'), default: '' },
  },
};

export const recipe = (...passes: string[]): Recipe => ({ version: 1, steps: passes.map(pass => ({ pass, options: {} })) });

export function compressView(over: Partial<CompressView> = {}): CompressView {
  const { parameters, fileBytes } = int8().totals.before;
  return {
    name: 'model.safetensors',
    path: '/models/minilm/model.safetensors',
    parameters,
    fileBytes,
    format: 'safetensors',
    passes: onePass,
    recipe: recipe('quantize'),
    out: '/models/minilm/model.int8.safetensors',
    outFormat: 'safetensors',
    calibration: '',
    running: null,
    sensitivity: { state: 'none' },
    ...over,
  };
}

/** A dry run whose sizes depend on the recipe: a quarter for quantize, 4 % off for each other step. */
export function dryRun(asked: Recipe): DryRun {
  const comparison = int8();
  const { report } = made(comparison);
  let size = comparison.totals.before;
  const steps = asked.steps.map(({ pass, options }) => {
    const factor = pass === 'quantize' ? (options['scheme'] === 'int4' ? 0.16 : 0.2536) : 0.96;
    size = { ...size, byteLength: Math.round(size.byteLength * factor), fileBytes: Math.round(size.fileBytes * factor) };
    return size;
  });
  const edits = report.edits.map(edit => ({ ...edit, before: 'fp32 [384, 384]', after: 'int8 [384, 384]' }));
  return { report: { ...report, edits, after: size }, failure: null, steps };
}
