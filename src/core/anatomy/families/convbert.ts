import { electra } from './electra.ts';
import { count, type Family } from './family.ts';

/**
 * ELECTRA's names, with a convolution beside attention in every layer. Attention has num_attention_heads / head_ratio heads, and only half
 * of each hidden state's width: the output projection reads the convolution in the other half.
 * source: Jiang et al., ConvBERT, NeurIPS 2020; transformers, ConvBertSelfAttention.
 */
export const convbert: Family = {
  ...electra,
  id: 'convbert',
  base: 'convbert.',
  tells: paths => [...paths].some(path => path.endsWith('attention.self.conv_kernel_layer')),
  headWidth(config) {
    const [heads, hidden] = [count(config, 'num_attention_heads') ?? 12, count(config, 'hidden_size') ?? 768];
    const ratio = count(config, 'head_ratio') ?? 2;
    const left = Math.max(1, Math.floor(heads / ratio));
    return Math.floor(Math.floor(hidden / left) / 2);
  },
};
