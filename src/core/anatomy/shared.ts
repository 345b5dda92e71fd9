import { HeadroomError } from '../errors.ts';
import type { Block } from './block.ts';
import type { Product } from './product.ts';
import { sameMatrix } from './same.ts';
import { together } from './together.ts';

/**
 * The first layer that each layer shares its numbers with; its own index when there is none. Shared by name (one initializer read by
 * several nodes), or by content (dynamo writes a copy for each time ALBERT's layer runs; quantize_dynamic quantizes only the first of
 * several readers). Reads some bytes of each query only.
 */
export async function sharedLayers(blocks: readonly Block[], signal?: AbortSignal): Promise<number[]> {
  const bySignature = new Map<string, number>();
  const stored: number[] = [];
  const signatures = await together(blocks, block => signatureOf(block.query.product!, signal));
  for (const [index, block] of blocks.entries()) {
    const signature = signatures[index]!;
    const first = bySignature.get(signature) ?? (quantizedApart(blocks[0]!, block) ? 0 : index);
    const same = first === index || (await sameMatrices(blocks[first]!, block, signal));
    stored.push(same ? first : index);
    if (!bySignature.has(signature)) bySignature.set(signature, same ? first : index);
  }
  return stored;
}

/** One is quantized and the other is not: their bytes say nothing about their numbers. */
const quantizedApart = (a: Block, b: Block): boolean => a.query.product!.form !== b.query.product!.form;

/**
 * A few bytes from the middle of the matrix: equal matrices have equal ones, and trained ones differ in them. One byte over and over
 * (a matrix of zeros) says nothing, so that only the name counts.
 */
async function signatureOf({ weight }: Product, signal?: AbortSignal): Promise<string> {
  const stored = weight.madeFrom ?? weight;
  const start = Math.floor(stored.byteLength / 2);
  const end = Math.min(stored.byteLength, start + 128);
  try {
    const bytes = await stored.bytes(start, end, signal);
    return new Set(bytes).size > 1 ? bytes.join() : weight.name;
  } catch (error) {
    if (error instanceof HeadroomError && error.code !== 'cancelled') return weight.name;
    throw error;
  }
}

const matrices = ['query', 'key', 'value', 'output', 'up', 'down'] as const;

async function sameMatrices(a: Block, b: Block, signal?: AbortSignal): Promise<boolean> {
  for (const key of matrices) if (!(await sameMatrix(a[key].product!, b[key].product!, signal))) return false;
  return true;
}
