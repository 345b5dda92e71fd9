import type { Folder } from '../bytes/source.ts';
import { type Sentence, sentence } from '../errors.ts';
import type { PoolingStep } from '../export/pooling.ts';
import { openModel } from '../format/open.ts';
import { readFloats } from '../tensor/floats.ts';
import { elementCount, type Tensor } from '../tensor/tensor.ts';

/** 4096 by 4096 in fp32. Matrices of this kind are held in memory until they are written; most have a megabyte. */
const largest = 64 * 1024 * 1024;

/** Names of PyTorch's modules -> those of activations. */
const activations: Readonly<Record<string, string>> = {
  Identity: 'linear',
  Tanh: 'tanh',
  ReLU: 'relu',
  GELU: 'gelu',
  SiLU: 'silu',
  Sigmoid: 'sigmoid',
  Mish: 'mish',
};

/** The matrix of sentence-transformers' Dense module in a folder below the model's, or why it cannot be a step. */
export async function denseIn(
  folder: Folder,
  path: string,
  config: Readonly<Record<string, unknown>>,
): Promise<(PoolingStep & { readonly kind: 'dense' }) | { readonly reason: Sentence }> {
  const named = String(config.activation_function ?? 'torch.nn.modules.activation.Tanh').replace(/^.*\./, '');
  if (!Object.hasOwn(activations, named))
    return {
      reason: sentence('{file} names the activation {name}, which the export does not know.', {
        file: `${path}/config.json`,
        name: named,
      }),
    };
  const file = `${path}/model.safetensors`;
  const source = await folder.open(file).catch(() => undefined);
  if (!source) return { reason: sentence('The step {step} has no {file}.', { step: 'Dense', file }) };
  try {
    const { tensors } = await openModel(source, folder);
    const [weight, bias] = [tensors.get('linear.weight'), tensors.get('linear.bias')];
    const isWhole =
      weight?.shape.length === 2 && weight.byteLength <= largest && (!bias || bias.shape.join() === `${weight.shape[0]}`);
    if (!weight || !isWhole) return { reason: sentence('{file} does not hold the matrix linear.weight and its bias.', { file }) };
    const kept = { weight: await held(weight, path), ...(bias && { bias: await held(bias, path) }) };
    return { kind: 'dense', ...kept, activation: activations[named]! };
  } finally {
    await source.close();
  }
}

/** A tensor whose numbers are in memory, in fp32: its file is closed before the graph is written. */
async function held(tensor: Tensor, path: string): Promise<Tensor> {
  const values = await readFloats(tensor, 0, elementCount(tensor.shape));
  const all = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const bytes = async (start?: number, end?: number) => all.subarray(start, end);
  return { name: `${path}/${tensor.name}`, dtype: 'fp32', shape: tensor.shape, byteLength: all.length, bytes };
}
