/** The Hugging Face paths of a layer's organs, whatever the exporter or the family calls them. */
export const layerIds = (index: number) => {
  const layer = `encoder.layer.${index}`;
  return {
    layer,
    query: `${layer}.attention.self.query`,
    key: `${layer}.attention.self.key`,
    value: `${layer}.attention.self.value`,
    output: `${layer}.attention.output.dense`,
    attentionNorm: `${layer}.attention.output.LayerNorm`,
    up: `${layer}.intermediate.dense`,
    down: `${layer}.output.dense`,
    outputNorm: `${layer}.output.LayerNorm`,
  };
};

/** Of a model with fewer hidden dimensions: the matrices on the way around each half. */
export const skipIds = (index: number) => ({
  attention: `encoder.layer.${index}.attention.output.skip`,
  network: `encoder.layer.${index}.output.skip`,
});

export const isSkip = (id: string): boolean => /^encoder\.layer\.\d+\.(attention\.)?output\.skip$/.test(id);

/** And the one behind the last layer, which gives what the layers gave before. */
export const wideningId = 'encoder.widening';

export const embeddingIds = {
  word: 'embeddings.word_embeddings',
  position: 'embeddings.position_embeddings',
  tokenType: 'embeddings.token_type_embeddings',
  norm: 'embeddings.LayerNorm',
  /** What widens the words of a factored table: MobileBERT's name for it. */
  transformation: 'embeddings.embedding_transformation',
} as const;

/** Where families keep what stands on top of the encoder; the longest match from the left wins. */
const top =
  /(?:^|\.)((?:pooler|cls|predictions|sop_classifier|lm_head|qa_outputs|pre_classifier|classifier|vocab_(?:transform|layer_norm|projector)|discriminator_predictions|generator_predictions|generator_lm_head|seq_relationship)(?:\.[\w.]*)?)$/;

/** Longer names are no paths of modules, and patterns that look for one in a megabyte would take hours. */
export const longestPath = 1000;

/** "bert.cls.predictions.transform.dense" -> "cls.predictions.transform.dense"; undefined for what is on top of no family. */
export const topPath = (path: string): string | undefined => (path.length > longestPath ? undefined : path.match(top)?.[1]);

/** What is read first stands first: pooler, transforms, norms, decoders, classifiers. */
const order = [
  /^pooler/,
  /^pre_classifier/,
  /(^vocab_transform|predictions(\.transform)?\.dense|lm_head\.dense|classifier\.dense)$/,
  /(layer_?norm)$/i,
  /(decoder|projector|generator_lm_head|dense_prediction|out_proj)$/,
  /predictions(\.bias)?$/,
];

/** Sorts organs of the top into one order for every format. */
export const topRank = (id: string): number => {
  const rank = order.findIndex(pattern => pattern.test(id));
  return rank < 0 ? order.length : rank;
};
