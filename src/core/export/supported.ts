import { type Anatomy, type ExtraOrgan, type Layer, linearsIn, matricesIn, storedOf } from '../anatomy/anatomy.ts';
import { fail, say, sentence } from '../errors.ts';
import type { Model } from '../model/model.ts';
import { dtypes } from '../tensor/dtype.ts';
import type { Tensor } from '../tensor/tensor.ts';

const deberta = /^encoder\.(LayerNorm|rel_embeddings|conv\.(conv|LayerNorm)|layer\.\d+\.attention\.self\.pos_(key|query)_proj)$/;

/** What a model with fewer hidden dimensions has, in the families whose layers are BERT's. */
const narrow = /^encoder\.(widening|layer\.\d+\.(attention\.)?output\.skip)$/;
const elsewhere = /^(deberta|mobilebert)/;

/** Families that a graph is made for, and the modules that some have beside BERT's. */
const families: Readonly<Record<string, RegExp | undefined>> = {
  bert: undefined,
  roberta: undefined,
  'xlm-roberta': undefined,
  camembert: undefined,
  distilbert: undefined,
  albert: undefined,
  electra: undefined,
  mpnet: /^encoder\.relative_attention_bias$/,
  'deberta-v2': deberta,
  'deberta-v3': deberta,
  mobilebert:
    /^encoder\.layer\.\d+\.(bottleneck\.(input|attention)|output\.bottleneck|ffn\.\d+\.output)\.(dense|LayerNorm)$|^encoder\.layer\.\d+\.ffn\.\d+\.intermediate\.dense$/,
};

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
  if (!Object.hasOwn(families, anatomy.family))
    throw fail(
      'unsupported',
      'Models of the family {family} cannot be exported yet; {known} can.',
      { family: anatomy.family, known: Object.keys(families).join(', ') },
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

function checkOrgans(model: Model, anatomy: Anatomy): void {
  const { family, layers, tables, top, embeddingExtra, embeddingProjection, encoderExtra } = anatomy;
  const unknownHeads = layers.find(({ heads }) => heads === 0);
  if (unknownHeads)
    throw fail(
      'unsupported',
      'Neither config.json nor the tensors say how many heads layer {layer} has.',
      { layer: unknownHeads.index },
      { file: model.name, hint: sentence('Put the model’s config.json beside it: num_attention_heads is needed.') },
    );
  const beside = [...(embeddingExtra ?? []), ...(encoderExtra ?? []), ...layers.flatMap(({ extra }) => extra ?? [])];
  const gate = layers.find(({ gate }) => gate)?.gate;
  const extra = gate ?? beside.find(organ => !isKnown(organ, layers, family));
  if (extra) throw fail('unsupported', 'The export does not know the module {id}.', { id: extra.id }, { file: model.name });
  const around = beside.flatMap(({ table }) => table ?? []);
  const projection = embeddingProjection ? [embeddingProjection] : [];
  const matrices = [
    ...layers.flatMap(linearsIn),
    ...tables,
    ...projection,
    ...around,
    ...top.flatMap(({ linear }) => (linear ? storedOf(linear) : [])),
  ];
  const parts = new Set(layers.flatMap(matricesIn).flatMap(({ compact }) => compact?.parts.map(({ weight }) => weight) ?? []));
  const coded = matrices.find(({ form, weight }) => (form !== 'dense' && !parts.has(weight)) || !isFloat(weight));
  if (coded)
    throw fail(
      'unsupported',
      'The matrix {id} is stored as {dtype}, not in floating point, and cannot be exported.',
      { id: coded.id, dtype: coded.packed?.dtype ?? coded.weight.dtype },
      { file: model.name, hint: sentence('Export the model it was made from.') },
    );
}

const isFloat = (tensor: Tensor): boolean => dtypes[tensor.dtype].kind === 'float';

/** MPNet's table of distances must have a column for each head of every layer. */
const isKnown = ({ id, table }: ExtraOrgan, layers: readonly Layer[], family: string): boolean =>
  (narrow.test(id) && !elsewhere.test(family)) ||
  (families[family]?.test(id) === true && (family !== 'mpnet' || layers.every(({ heads }) => heads === table?.width)));
