import type { Summary, TreeNode } from '../../../src/core/report/tree.ts';
import { say, t } from '../../l10n.ts';
import type { Entry, ModelIndex } from '../../layout/model-index.ts';
import { visibleName } from '../../layout/names.ts';
import { count } from '../../numbers.ts';

/** Names as their authors write them; a family that is not here shows its model_type. */
const families: Readonly<Record<string, string>> = {
  bert: 'BERT',
  roberta: 'RoBERTa',
  'xlm-roberta': 'XLM-RoBERTa',
  camembert: 'CamemBERT',
  distilbert: 'DistilBERT',
  albert: 'ALBERT',
  electra: 'ELECTRA',
  'deberta-v2': 'DeBERTa-v2',
  mpnet: 'MPNet',
};

function familyAndTask(family: string, task: string): string {
  const args = { family: families[family] ?? visibleName(family, 60) };
  switch (task) {
    case 'base':
      return t('{family} encoder', args);
    case 'masked-lm':
      return t('{family} for masked words', args);
    case 'pretraining':
      return t('{family} for pretraining', args);
    case 'sequence-classification':
      return t('{family} for sentence classification', args);
    case 'token-classification':
      return t('{family} for token classification', args);
    case 'question-answering':
      return t('{family} for question answering', args);
    case 'multiple-choice':
      return t('{family} for multiple choice', args);
    case 'discriminator':
      return t('{family} discriminator', args);
    default:
      return args.family;
  }
}

/** "8–12" when layers differ. */
function range(values: readonly number[]): string {
  const least = Math.min(...values);
  const most = Math.max(...values);
  return least === most ? count(least) : `${count(least)}–${count(most)}`;
}

/** "BERT encoder · 6 layers × 384 · 12 heads of 32 · feed-forward 1,536 · vocabulary 30,522" */
export function describe({ model, file }: Summary, index: ModelIndex): string {
  const facts: string[] = [];
  if (model.layers > 0) {
    facts.push(familyAndTask(model.family, model.task));
    facts.push(`${layersText(model.layers)} × ${model.hidden}`);
    const heads = model.heads.filter(heads => heads > 0);
    if (heads.length) facts.push(t('{n} heads of {size}', { n: range(heads), size: model.headDim }));
    if (model.intermediate.length) facts.push(t('feed-forward {n}', { n: range(model.intermediate) }));
    if (model.vocabulary > 0) facts.push(t('vocabulary {n}', { n: model.vocabulary }));
  } else {
    facts.push(
      model.graph ? t('ONNX, opset {n}', { n: String(model.graph.opset) }) : file.format === 'onnx' ? 'ONNX' : 'safetensors',
    );
    facts.push(t('{n} tensors', { n: index.tensorCount }));
    if (model.graph?.producer) facts.push(t('made by {producer}', { producer: visibleName(model.graph.producer, 60) }));
  }
  return facts.join(' · ');
}

/** A node's title in the person's language, safe to show. */
export const titleOf = (node: TreeNode): string => visibleName(node.titleSentence ? say(node.titleSentence) : node.title);

/** What stands in grey beside a title: how many layers, heads or neurons. */
export function subtitleOf({ node, layer }: Entry, { model }: Summary): string {
  if (node.kind === 'encoder' && model.layers > 0) return layersText(model.layers);
  if (layer === undefined) return '';
  const heads = model.heads[layer];
  const neurons = model.intermediate[layer];
  if (node.kind === 'attention' && heads) return heads === 1 ? t('1 head') : t('{n} heads', { n: heads });
  if (node.kind === 'feed-forward' && neurons) return t('{n} neurons', { n: neurons });
  return '';
}

/** "Layer 3 · Attention · Query · weight": the way to a row, from its layer or section. */
export function pathOf(entry: Entry): string {
  const titles: string[] = [];
  for (let at: Entry | undefined = entry; at?.parent; at = at.parent)
    if (at.node.kind !== 'encoder' || at === entry) titles.unshift(titleOf(at.node));
  return titles.join(' · ');
}

/** "int8 + fp32": what holds at least a hundredth of the bytes, at most two. */
export function dtypesOf({ model }: Summary): string {
  const all = model.dtypes.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const most = model.dtypes.filter(({ byteLength }) => byteLength * 100 >= all).slice(0, 2);
  return most.map(({ dtype }) => dtype).join(' + ');
}

const layersText = (layers: number): string => (layers === 1 ? t('1 layer') : t('{n} layers', { n: layers }));

/** What a part of the file is called. */
export function partName(kind: string): string {
  switch (kind) {
    case 'header':
      return t('File header');
    case 'tensors':
      return t('Tensors');
    case 'padding':
      return t('Padding');
    case 'graph':
      return t('Graph');
    case 'index':
      return t('Index file');
    case 'external':
      return t('External data');
    case 'metadata':
      return t('Metadata');
    case 'between':
      return t('Between tensors');
    default:
      return visibleName(kind, 60);
  }
}
