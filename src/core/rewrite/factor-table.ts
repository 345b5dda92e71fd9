import type { Anatomy } from '../anatomy/anatomy.ts';
import { embeddingIds } from '../anatomy/ids.ts';
import { fail } from '../errors.ts';
import type { Model } from '../model/model.ts';
import { computed, named } from '../passes/computed.ts';
import { isMobilebert } from '../passes/factorize/as-mobilebert.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { TableEdit } from './factor.ts';

// A factored word table in a checkpoint, with MobileBERT's name for what widens it: embeddings.word_embeddings.weight [V, E] and
// embeddings.embedding_transformation.weight [H, E]. Where nothing else stands in the way the result is a MobileBERT that transformers
// loads: MobileBERT without bottlenecks and trigrams is a BERT with such an embedding (its norms' epsilon is 1e-5, which moves
// outputs by about 1e-4).

/** throws 'unsupported' where the decoder reads the table too */
export function factorTable(model: Model, anatomy: Anatomy, { target, first, second }: TableEdit): Model {
  const { name } = target.weight;
  const tied = anatomy.top.some(
    ({ linear }) => linear && (anatomy.copies.get(linear.weight.name) ?? linear.weight.name) === name,
  );
  if (tied || target.id !== embeddingIds.word)
    throw fail(
      'unsupported',
      'The decoder reads the table {id} too, and no checkpoint holds that factored.',
      { id: target.id },
      { file: model.name },
    );
  const stem = name.replace(/word_embeddings\.weight$|[^.]*\.weight$/, 'embedding_transformation');
  const isStock = isMobilebert(model, anatomy);
  const added = [named(first, `${stem}.weight`), ...(isStock ? [zeros(`${stem}.bias`, first)] : [])];
  const tensors = new Map<string, Tensor>();
  for (const tensor of model.tensors.values()) {
    const stays = tensor.name === name ? named(second, name) : tensor;
    for (const each of tensor.name === name ? [stays, ...added] : [stays]) {
      const stored = isStock ? named(each, each.name.replace(/^bert\./, 'mobilebert.')) : each;
      tensors.set(stored.name, stored.name === each.name ? each : stored);
    }
  }
  return { ...model, tensors, ...(isStock && { config: mobilebert(model, anatomy, first.shape[1]!) }) };
}

function zeros(name: string, { dtype, shape }: Tensor): Tensor {
  return computed(name, dtype, [shape[0]!], async (start, end) => new Uint8Array(end - start));
}

/** source: MobileBertConfig of transformers 5.23 */
function mobilebert({ config }: Model, { hidden, layers }: Anatomy, width: number): Model['config'] {
  const { architectures } = config;
  const renamed = Array.isArray(architectures) && {
    architectures: architectures.map(name => String(name).replace(/^Bert/, 'MobileBert')),
  };
  return {
    ...config,
    ...renamed,
    model_type: 'mobilebert',
    embedding_size: width,
    trigram_input: false,
    use_bottleneck: false,
    num_feedforward_networks: 1,
    normalization_type: 'layer_norm',
    hidden_act: 'gelu',
    intermediate_size: layers[0]!.up.out,
    intra_bottleneck_size: hidden,
    classifier_activation: true,
  };
}
