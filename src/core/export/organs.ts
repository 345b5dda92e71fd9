import type { ExtraOrgan, Linear, Norm, Table } from '../anatomy/anatomy.ts';
import { fail, sentence } from '../errors.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** The modules that a family has beside BERT's, by their paths. throws 'unsupported', naming the module, where one is not there */
export class Organs {
  readonly #organs: ReadonlyMap<string, ExtraOrgan>;

  constructor(organs: readonly ExtraOrgan[] = []) {
    this.#organs = new Map(organs.map(organ => [organ.id, organ]));
  }

  has(id: string): boolean {
    return this.#organs.has(id);
  }

  linear(id: string): Linear {
    return this.#organs.get(id)?.linear ?? missing(id);
  }

  norm(id: string): Norm {
    return this.#organs.get(id)?.norm ?? missing(id);
  }

  table(id: string): Table {
    return this.#organs.get(id)?.table ?? missing(id);
  }

  tensor(id: string, part: string): Tensor {
    return this.#organs.get(id)?.tensors?.find(([name]) => name === part)?.[1] ?? missing(id);
  }
}

function missing(id: string): never {
  throw fail(
    'unsupported',
    'config.json asks for the module {id}, which the checkpoint does not have.',
    { id },
    {
      hint: sentence('Is the config.json beside it that of this checkpoint?'),
    },
  );
}
