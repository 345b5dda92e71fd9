import type { Model } from '../model/model.ts';

/** Class names of transformers say the task: BertForTokenClassification. */
const classes: readonly (readonly [RegExp, string])[] = [
  [/ForPreTraining$/, 'pretraining'],
  [/ForMaskedLM$/, 'masked-lm'],
  [/ForSequenceClassification$/, 'sequence-classification'],
  [/ForTokenClassification$/, 'token-classification'],
  [/ForQuestionAnswering$/, 'question-answering'],
  [/ForMultipleChoice$/, 'multiple-choice'],
];

/** The task a model is for, from what stands on top of its encoder; config.json decides where organs leave a choice. */
export function taskOf(model: Model, organs: readonly string[]): string {
  const has = (pattern: RegExp) => organs.some(id => pattern.test(id));
  const stated = statedTask(model);
  if (organs.every(id => /^pooler|^(\d+\.)?linear$|^contact_head/.test(id))) return 'base';
  if (has(/^discriminator_predictions/)) return 'discriminator';
  if (has(/^(cls\.)?seq_relationship|^sop_classifier/)) return 'pretraining';
  if (has(/^(cls\.)?predictions|^lm_head|^lm_predictions|^decoder$|^vocab_projector|^generator/))
    return stated === 'pretraining' ? stated : 'masked-lm';
  if (has(/^qa_(outputs|classifier)/)) return 'question-answering';
  if (has(/^classifier|^pre_classifier/)) {
    if (stated) return stated;
    if (choosesAmong(model)) return 'multiple-choice';
    return classifiesTokens(model, has) ? 'token-classification' : 'sequence-classification';
  }
  return stated ?? 'unknown';
}

function statedTask({ config }: Model): string | undefined {
  const names = Array.isArray(config.architectures) ? config.architectures : [];
  for (const name of names) for (const [pattern, task] of classes) if (pattern.test(String(name))) return task;
  return undefined;
}

/** Several texts for each answer: token ids of [batch, choices, sequence], and one number for each choice. */
function choosesAmong({ graph }: Model): boolean {
  if (graph?.outputs[0]?.shape?.length !== 2) return false;
  const ids = graph.inputs.filter(({ dtype, shape }) => shape && (dtype === 'int64' || dtype === 'int32'));
  return ids.length > 0 && ids.every(({ shape }) => shape!.length === 3);
}

/** One answer a token: the graph's output has three dimensions; without a graph, nothing pools before the classifier. */
function classifiesTokens(model: Model, has: (pattern: RegExp) => boolean): boolean {
  const shape = model.graph?.outputs[0]?.shape;
  if (shape) return shape.length === 3;
  return !has(/^pooler|^pre_classifier|^classifier\.(dense|out_proj)/);
}
