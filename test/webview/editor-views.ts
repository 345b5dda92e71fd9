import { sentence } from '../../src/core/errors.ts';
import type { Summary } from '../../src/core/report/tree.ts';
import type {
  DryRun,
  EditorHostApi,
  EditorView,
  HeatMapRequest,
  ScoresQuestion,
  Step,
  ValuesRequest,
} from '../../src/protocol/messages.ts';
import { heatMapOf, measuresOf, scoresFor, statisticsOf, valuesOf, weightLike } from './insides.ts';
import { empty, minilm, notBert, pruned } from './summaries.ts';

// What the host may ask the editor to show, for tests: every state of the page.

export const ready = (summary: Summary, more: { changedOnDisk?: boolean; deleted?: boolean } = {}): EditorView => ({
  state: 'ready',
  name: summary.file.name,
  summary,
  changedOnDisk: false,
  deleted: false,
  ...more,
});

export const failed: EditorView = {
  state: 'failed',
  name: 'model.safetensors',
  byteLength: 41_156_608,
  failure: {
    code: 'truncated',
    message: 'model.safetensors: This file is cut short. … (byte 808080)',
    file: 'model.safetensors',
    offset: 808_080,
    sentence: sentence('This file is cut short. Its header describes {a} bytes, but the file ends at {b}.', {
      a: 90_868_376,
      b: 41_156_608,
    }),
    hint: sentence('The download probably stopped early: get the file again.'),
  },
};

function withoutHeads(): Summary {
  const summary = minilm();
  return {
    ...summary,
    heads: [],
    model: { ...summary.model, heads: [], headDim: 0 },
    warnings: [
      {
        code: 'heads-unknown',
        message: 'How many heads?',
        sentence: sentence('How many heads? 384 can be split into 6, 12 or 24.'),
      },
    ],
  };
}

const incomplete = (): Summary => ({ ...minilm(), model: { ...minilm().model, complete: false } });

export const states: Readonly<Record<string, () => EditorView>> = {
  opening: () => ({ state: 'opening', name: 'model.safetensors', byteLength: 90_868_376 }),
  failed: () => failed,
  empty: () => ready(empty()),
  'not a BERT': () => ready(notBert()),
  'head count unknown': () => ready(withoutHeads()),
  incomplete: () => ready(incomplete()),
  'changed on disk': () => ready(minilm(), { changedOnDisk: true }),
  deleted: () => ready(minilm(), { deleted: true }),
  pruned: () => ready(pruned()),
  ready: () => ready(minilm()),
};

const query = weightLike(384, 384, 32);
const queryStatistics = statisticsOf(query);

/** A dry run of pruning heads, neurons or layers of minilm. */
function prunedBy({ pass, options }: Step): DryRun {
  const before = { parameters: 22_713_216, byteLength: 90_852_864, fileBytes: 90_868_376 };
  const { fraction, remove } = options as { fraction?: number; remove?: Record<string, number[]> | number[] };
  const [all, each] = { 'prune-heads': [72, 49_248], 'prune-neurons': [9216, 769] }[pass] ?? [6, 1_774_464];
  const gone = remove ? Object.values(remove).flat().length : Math.round(all! * (fraction ?? 0));
  const after = {
    parameters: before.parameters - gone * each!,
    byteLength: before.byteLength - gone * each! * 4,
    fileBytes: before.fileBytes - gone * each! * 4,
  };
  const recipe = { version: 1 as const, steps: [{ pass, options }] };
  const report = { version: 1 as const, recipe, out: '', before, after, edits: [], skipped: [], seconds: 0.1, peakBytes: 0 };
  return { report, failure: null, steps: [after] };
}

/** A host that shows `view`; every tensor holds the same 384 x 384 values. What is no question is answered with nothing. */
export const editorApi = (view: EditorView): Record<keyof EditorHostApi, (...args: never[]) => unknown> => ({
  view: () => view,
  reload: () => undefined,
  quantize: () => undefined,
  openCompress: () => undefined,
  tryStep: (step: Step) => prunedBy(step),
  openCompare: () => undefined,
  copyText: () => undefined,
  showLog: () => undefined,
  statistics: () => queryStatistics,
  heatMap: (_tensor: string, request: HeatMapRequest) => heatMapOf(query, request),
  values: (_tensor: string, request: ValuesRequest) => valuesOf(query, request),
  exportTensor: () => null,
  headMeasures: () => measuresOf(6, 12),
  scores: ({ pass, by, text }: ScoresQuestion) => scoresFor(pass, by, text),
  stateHeads: () => undefined,
  scoreText: () => '',
  chooseScoreText: () => '/texts/mine.txt',
  openRedundancy: () => undefined,
  openSensitivity: () => undefined,
  openMeasured: () => undefined,
  openAttention: () => undefined,
});
