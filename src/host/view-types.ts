/** Ids in the manifest; what was chosen as a default editor and what is restored after a reload refers to them, so they never change. */
export const viewTypes = {
  /** *.onnx and *.safetensors. */
  model: 'headroom.model',
  /** *.safetensors.index.json: a text file first, a model on request. */
  index: 'headroom.index',
  /** Any other name, on request. */
  any: 'headroom.any',
} as const;

export const panelTypes = {
  attention: 'headroom.attention',
  compress: 'headroom.compress',
  diff: 'headroom.diff',
  redundancy: 'headroom.redundancy',
} as const;
