import { sentence } from '../errors.ts';
import { definePass, type Plan } from './pass.ts';
import { planDynamic } from './quantize/dynamic.ts';
import { planGraph } from './quantize/graph.ts';
import { planTensors } from './quantize/tensors.ts';

export const quantize = definePass({
  id: 'quantize',
  title: sentence('Quantize'),
  summary: sentence('Store the big matrices as 8-bit integers and multiply with them.'),
  source:
    'Rows of activations and channels of weights scaled apart: Yao et al., ZeroQuant, NeurIPS 2022; int8-dynamic: onnxruntime 1.30, quantize_dynamic; safetensors: compressed-tensors, int-quantized',
  needs: ['weights'],
  fields: {
    scheme: {
      kind: 'choice',
      label: sentence('Scheme'),
      help: sentence('How matrices are stored and multiplied.'),
      default: 'int8',
      choices: [
        {
          value: 'int8',
          hint: sentence('8 bits, each row of activations scaled by itself: a result does not depend on its batch.'),
        },
        { value: 'int8-dynamic', hint: sentence('8 bits, the same file that onnxruntime’s quantize_dynamic writes.') },
      ],
    },
    per_channel: {
      kind: 'flag',
      label: sentence('A scale for each output channel'),
      help: sentence('Off: one scale for a whole matrix, which loses more.'),
      default: true,
      when: { scheme: ['int8-dynamic'] },
    },
    embedding_bits: {
      kind: 'number',
      label: sentence('Bits of embeddings'),
      help: sentence('32 leaves the embedding tables as they are.'),
      default: 8,
      min: 8,
      max: 32,
      step: 24,
    },
    include: {
      kind: 'globs',
      label: sentence('Only these'),
      help: sentence('Patterns of names, such as encoder.layer.0 or *.query. Empty: everything.'),
      default: [],
    },
    exclude: {
      kind: 'globs',
      label: sentence('Not these'),
      help: sentence('Patterns of names that are left as they are.'),
      default: [],
    },
  },
  async plan(anatomy, options, { model, format }): Promise<Plan> {
    const { graph } = model;
    if (format === 'safetensors' || !graph) {
      if (options.scheme === 'int8') return planTensors(model, anatomy, options);
      const reason = sentence('{scheme} is a form of ONNX graphs. For a safetensors model choose int8.', {
        scheme: options.scheme,
      });
      return { edits: [], skipped: [{ target: model.name, reason }] };
    }
    const body = { ...model, graph };
    return options.scheme === 'int8' ? planGraph(body, anatomy, options) : planDynamic(body, anatomy, options);
  },
});
