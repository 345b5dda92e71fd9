import type { Anatomy, ExtraOrgan, Layer, Linear, Norm } from '../../../anatomy/anatomy.ts';
import type { Half } from '../../../calibration/calibration.ts';
import type { Tensor } from '../../../tensor/tensor.ts';

/** Stored matrices that read the hidden state with one bias among them: their outputs one behind the other. */
export interface Reader {
  readonly linears: readonly Linear[];
  readonly bias: Tensor;
}

/** A half of a layer as the stream of hidden states sees it. */
export interface StreamHalf extends Half {
  /** Makes the hidden state that enters. */
  readonly entering: Norm;
  readonly readers: readonly Reader[];
  /** What it gives is added to the hidden state. */
  readonly writer: Linear;
}

/** In the order in which data meets them. undefined where a matrix that reads has no bias, which is to hold what the norm before it held. */
export function streamOf({ embeddingNorm, layers }: Anatomy): readonly StreamHalf[] | undefined {
  let entering = embeddingNorm!;
  const halves: StreamHalf[] = [];
  for (const layer of layers) {
    const { index, output, attentionNorm, up, gate, down, outputNorm } = layer;
    const readers = [attentionReaders(layer), readersOf([up, ...(gate ? [gate] : [])])];
    if (!readers[0] || !readers[1]) return undefined;
    halves.push({ layer: index, part: 'attention', entering, readers: readers[0], writer: output });
    halves.push({ layer: index, part: 'feed-forward', entering: attentionNorm, readers: readers[1], writer: down });
    entering = outputNorm;
  }
  return halves;
}

const storedOnce = (linears: readonly Linear[]): Linear[] => [...new Set(linears.map(linear => linear.within ?? linear))];

function readersOf(linears: readonly Linear[]): Reader[] | undefined {
  const readers = storedOnce(linears).map(linear => linear.bias && { linears: [linear], bias: linear.bias });
  return readers.every(reader => reader !== undefined) ? readers : undefined;
}

/** An operator of attention may add the biases of all three as one vector. */
function attentionReaders({ query, key, value, extra = [] }: Layer): Reader[] | undefined {
  const bias = extra.find(isSharedBias)?.tensors?.[0]?.[1];
  const linears = storedOnce([query, key, value]);
  if (!bias) return readersOf(linears);
  return linears.every(linear => !linear.bias) ? [{ linears, bias }] : undefined;
}

export const isSharedBias = ({ id, tensors }: ExtraOrgan): boolean =>
  id.endsWith('.attention.self.query_key_value') && tensors?.length === 1;
