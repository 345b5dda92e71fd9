import type { Anatomy } from '../../anatomy/anatomy.ts';
import type { Model } from '../../model/model.ts';
import type { ShareEdit } from '../pass.ts';

/** Tasks whose heads ALBERT's classes have as BERT's do. */
const alike = new Set(['base', 'sequence-classification', 'token-classification', 'question-answering']);

/** Would the checkpoint be a stock ALBERT? Its groups are runs of equally many neighbours, and cover all layers. */
export function isAlbert({ config }: Model, { family, task, layers, top }: Anatomy, edits: readonly ShareEdit[]): boolean {
  const groups = edits.flatMap(edit => edit.groups);
  const order = [...groups].sort((a, b) => a[0]! - b[0]!);
  const size = order[0]?.length ?? 0;
  const isWhole = order.flat().join() === layers.map(({ index }) => index).join();
  const isEven = order.every(group => group.length === size);
  return (
    isWhole &&
    isEven &&
    family === 'bert' &&
    config.model_type === 'bert' &&
    alike.has(task) &&
    (config.position_embedding_type ?? 'absolute') === 'absolute' &&
    top.every(({ tensor }) => !tensor) &&
    layers.every(({ extra, gate, query }) => !extra && !gate && query.out === query.in)
  );
}
