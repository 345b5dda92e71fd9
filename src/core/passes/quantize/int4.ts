import { fail, sentence } from '../../errors.ts';
import type { Model } from '../../model/model.ts';
import { planRounded } from './gptq/plan.ts';
import { planBlocks } from './int4-graph.ts';
import { planPackedTensors } from './packed-tensors.ts';
import type { QuantizeOptions, Scheme } from './scheme.ts';

/** What MatMulNBits multiplies by. */
const widths: readonly number[] = [2, 4, 8];

export const int4: Scheme = {
  id: 'int4',
  hint: sentence('8, 4 or 2 bits in blocks of weights; activations stay as they are. The smallest files that onnxruntime runs.'),
  options: ['bits', 'block_size', 'symmetric', 'embedding_bits', 'rounding', 'operators'],
  embeddingBits: [2, 4, 8, 32],
  source:
    'Blocks as MatMulNBits and GatherBlockQuantized of onnxruntime, or DequantizeLinear of ONNX opset 21; safetensors: compressed-tensors, pack-quantized; rounding gptq: Frantar et al., GPTQ, ICLR 2023',
  async plan(anatomy, options, context) {
    const { graph } = context.model;
    checkBits(options, context.model);
    const plan =
      context.format === 'safetensors' || !graph
        ? planPackedTensors(context.model, anatomy, options)
        : planBlocks({ ...context.model, graph }, anatomy, options);
    return planRounded(anatomy, plan, options, context);
  },
};

function checkBits({ bits }: QuantizeOptions, model: Model): void {
  const found = (typeof bits === 'number' ? [bits] : bits).find(each => !widths.includes(each));
  if (found === undefined) return;
  throw fail(
    'bad-recipe',
    'bits is {found}. With {scheme} it must be one of {allowed}.',
    { found, scheme: 'int4', allowed: widths.join(', ') },
    { file: model.name },
  );
}
