import type { Anatomy } from '../../anatomy/anatomy.ts';
import { layerIds } from '../../anatomy/ids.ts';
import type { Taps } from '../../anatomy/taps.ts';
import type { Subject } from '../subject.ts';

/** A model that can be run with values from its inside as outputs. */
export interface Probe {
  /** Its path is that of the file with the further outputs. */
  readonly subject: Subject;
  readonly anatomy: Anatomy;
  readonly taps: Taps;
  /** Outputs the model had before. */
  readonly outputs: readonly string[];
}

/** A hidden state between two layers, and the organ that gives it. */
export interface HiddenState {
  readonly id: string;
  readonly value: string;
  /** Of the layer; -1 for the embeddings. */
  readonly index: number;
}

/** From the embeddings up; without what the graph does not have. */
export function hiddenStates({ embeddings, layers }: Taps): HiddenState[] {
  const first = embeddings === undefined ? [] : [{ id: 'embeddings', value: embeddings, index: -1 }];
  return [
    ...first,
    ...layers.flatMap(({ index, output }) => (output === undefined ? [] : [{ id: layerIds(index).layer, value: output, index }])),
  ];
}
