import { type Anatomy, type ExtraOrgan, type Layer, linearsIn } from '../anatomy/anatomy.ts';
import { fail, say, sentence } from '../errors.ts';
import type { Model } from '../model/model.ts';
import { dtypes } from '../tensor/dtype.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Families whose layers are BERT's: norms behind, absolute positions, one feed-forward network. */
const families: readonly string[] = ['bert', 'roberta', 'xlm-roberta', 'camembert', 'distilbert', 'albert', 'electra', 'mpnet'];

/** throws 'unsupported', saying what the graph would not do as the model does it, or 'missing-file' */
export function checkSupported(model: Model, anatomy: Anatomy): void {
  const file = { file: model.name };
  if (!model.complete) throw fail('missing-file', 'A part of the model is not there, so it cannot be exported.', undefined, file);
  if (anatomy.layers.length === 0)
    throw fail(
      'unsupported',
      'No BERT layers were found, so there is nothing to export. {reason}',
      { reason: anatomy.notBert ? say(anatomy.notBert) : '' },
      file,
    );
  if (!families.includes(anatomy.family))
    throw fail(
      'unsupported',
      'Models of the family {family} cannot be exported yet; {known} can.',
      { family: anatomy.family, known: families.join(', ') },
      file,
    );
  checkConfig(model);
  checkOrgans(model, anatomy);
}

function checkConfig({ name, config }: Model): void {
  const kind = config.position_embedding_type ?? 'absolute';
  if (kind !== 'absolute')
    throw fail(
      'unsupported',
      'config.json asks for positions of the type {kind}; the export knows absolute ones only.',
      { kind: String(kind) },
      { file: name },
    );
  if (config.is_decoder === true || config.add_cross_attention === true)
    throw fail(
      'unsupported',
      'config.json says the model generates text (is_decoder), which the export does not know.',
      undefined,
      { file: name },
    );
}

function checkOrgans(model: Model, { family, layers, tables, top, embeddingExtra, encoderExtra }: Anatomy): void {
  const unknownHeads = layers.find(({ heads }) => heads === 0);
  if (unknownHeads)
    throw fail(
      'unsupported',
      'Neither config.json nor the tensors say how many heads layer {layer} has.',
      { layer: unknownHeads.index },
      { file: model.name, hint: sentence('Put the model’s config.json beside it: num_attention_heads is needed.') },
    );
  const inLayers = layers.flatMap(({ gate, extra }) => [gate, ...(extra ?? [])]);
  const around = [...(embeddingExtra ?? []), ...(encoderExtra ?? [])].filter(organ => !isRelative(organ, layers, family));
  const [extra] = [...inLayers, ...around].filter(organ => organ !== undefined);
  if (extra) throw fail('unsupported', 'The export does not know the module {id}.', { id: extra.id }, { file: model.name });
  const matrices = [...layers.flatMap(linearsIn), ...tables, ...top.flatMap(({ linear }) => linear ?? [])];
  const coded = matrices.find(({ form, weight }) => form !== 'dense' || !isFloat(weight));
  if (coded)
    throw fail(
      'unsupported',
      'The matrix {id} is stored as {dtype}, not in floating point, and cannot be exported.',
      { id: coded.id, dtype: coded.packed?.dtype ?? coded.weight.dtype },
      { file: model.name, hint: sentence('Export the model it was made from.') },
    );
}

const isFloat = (tensor: Tensor): boolean => dtypes[tensor.dtype].kind === 'float';

/** MPNet's table of distances, as long as it has a column for each head of every layer. */
const isRelative = ({ id, table }: ExtraOrgan, layers: readonly Layer[], family: string): boolean =>
  family === 'mpnet' &&
  id === 'encoder.relative_attention_bias' &&
  table?.form === 'dense' &&
  layers.every(({ heads }) => heads === table.width);
