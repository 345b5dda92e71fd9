import type { Node } from '../model/graph.ts';
import { longestPath, topPath } from './ids.ts';

/**
 * Names that survived an export, as dotted module paths: TorchScript keeps them in node names (/bert/pooler/dense/Gemm), dynamo in
 * the metadata pkg.torch.onnx.name_scopes, both in the names of tensors that were not folded. Hints only: nothing depends on them
 * where the structure says enough.
 */
export function modulePaths(node: Node, tensors: readonly (string | undefined)[]): string[] {
  const scopes = [...(node.metadata['pkg.torch.onnx.name_scopes'] ?? '').matchAll(/'([^']*)'/g)].map(match => match[1]!);
  const named = node.name.replace(/^\//, '').replaceAll('/', '.');
  const [weight, ...rest] = tensors.map(name => name && modulePath(name));
  return [weight, ...scopes.reverse(), named.replace(/\.(MatMul|Gemm|Add|LayerNormalization)[^.]*$/, ''), ...rest].filter(
    path => path !== undefined && path !== '',
  ) as string[];
}

/** "bert.pooler.dense.weight_quantized" -> "bert.pooler.dense" */
export const modulePath = (tensor: string): string =>
  tensor.length > longestPath
    ? tensor
    : tensor
        .replace(/_DequantizeLinear.*$/, '')
        .replace(/(_(quantized|Q[248]|Transposed|transposed))+$/, '')
        .replace(/\.(weight|bias|gamma|beta|kernel)$/, '');

/** The first path that names something on top of an encoder. */
export function topHint(paths: readonly string[]): string | undefined {
  for (const path of paths) {
    const found = topPath(path);
    if (found) return found;
  }
  return undefined;
}
