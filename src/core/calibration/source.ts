import type { Anatomy } from '../anatomy/anatomy.ts';
import type { Inputs } from '../evaluation/inputs.ts';
import type { Runtime } from '../evaluation/runtime.ts';
import type { Encoding } from '../evaluation/tokenize/tokenizer.ts';
import type { Graph } from '../model/graph.ts';
import type { Model } from '../model/model.ts';

export interface GraphBody {
  readonly model: Model & { readonly graph: Graph };
  readonly anatomy: Anatomy;
}

/** An earlier state of a model: what repairs aim at. */
export interface Aim {
  /** As a graph that takes the same inputs. */
  readonly body: GraphBody;
  /** For each layer of the model as it is, ascending: the layer it was. Those in between are gone. */
  readonly layers: readonly number[];
}

/** What calibration is made of. What it cannot know by itself (how edits are performed, how a model becomes a file) is handed to it. */
export interface CalibrationSource<E> {
  /** For messages. */
  readonly name: string;
  readonly runtime: Runtime;
  readonly threads: number;
  /** The model as a graph, with edits performed: what would be written is what runs. */
  edited(edits: readonly E[]): Promise<GraphBody>;
  /** The model before the steps in front of this one, if its layers correspond. Asked for by walks towards 'source'. */
  aim?(): Promise<Aim | undefined>;
  /** The bytes of a model file. */
  encode(model: Model): Promise<Uint8Array>;
  /** The bytes of a model file with this graph alone. */
  encodeGraph(graph: Pick<Graph, 'inputs' | 'outputs' | 'nodes'>): Promise<Uint8Array>;
  readonly encodings: readonly Encoding[];
  readonly inputs: Inputs;
  readonly pad: number;
  readonly firstPosition: number;
  readonly signal?: AbortSignal;
}
