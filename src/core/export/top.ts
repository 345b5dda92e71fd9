import type { Anatomy, Linear, Table, TopOrgan } from '../anatomy/anatomy.ts';
import { fail } from '../errors.ts';
import { activationOf } from './activation.ts';
import { type GraphBuilder, int } from './graph-builder.ts';
import type { Settings } from './settings.ts';

/** What heads are built from: the organs on top of the encoder, and the values below them. */
export class Top {
  readonly graph: GraphBuilder;
  readonly anatomy: Anatomy;
  /** [batch, sequence, width] */
  readonly hidden: string;
  readonly width: number;
  readonly settings: Settings;
  /** The size [batch, choices] of a model for multiple choice. */
  readonly choices: string | undefined;
  /** Ids of the organs that were used. */
  readonly used = new Set<string>();
  readonly #organs: ReadonlyMap<string, TopOrgan>;

  constructor(
    graph: GraphBuilder,
    anatomy: Anatomy,
    { hidden, width }: Pick<Top, 'hidden' | 'width'>,
    settings: Settings,
    choices?: string,
  ) {
    this.graph = graph;
    this.anatomy = anatomy;
    this.hidden = hidden;
    this.width = width;
    this.settings = settings;
    this.choices = choices;
    this.#organs = new Map(anatomy.top.map(organ => [organ.id, organ]));
  }

  has(id: string): boolean {
    return this.#organs.has(id);
  }

  first(...ids: readonly string[]): string {
    const found = ids.find(id => this.has(id));
    if (found) return found;
    throw fail('unsupported', 'The checkpoint says it is for {task}, but has no module {id}.', {
      task: this.anatomy.task,
      id: ids.join(' / '),
    });
  }

  outputsOf(id: string): number {
    return this.#organ(id).linear!.out;
  }

  inputsOf(id: string): number {
    return this.#organ(id).linear!.in;
  }

  wordTable(): Table {
    return this.anatomy.tables.find(({ id }) => id === 'embeddings.word_embeddings')!;
  }

  linear(value: string, id: string): string {
    const linear = this.#withOwnBias(this.#organ(id).linear!);
    const table = this.#tied(linear);
    return table ? this.graph.tiedLinear(value, linear, table) : this.graph.linear(value, linear);
  }

  /** A matrix that a checkpoint stores [inputs, outputs]. */
  storedTurned(value: string, id: string): string {
    return this.graph.linear(value, { ...this.#organ(id).linear!, transposed: true });
  }

  /** A parameter that belongs to no matrix. */
  parameter(id: string): string {
    return this.graph.parameter(this.#organ(id).tensor!, id);
  }

  norm(value: string, id: string): string {
    return this.graph.norm(value, this.#organ(id).norm!);
  }

  act(value: string, activation: string, at: string): string {
    return this.graph.within(at, () => activationOf(activation)(this.graph, value));
  }

  /** The hidden state of the first token, [batch, hidden]. */
  firstToken(at: string): string {
    const { graph } = this;
    return graph.within(at, () => graph.node('Gather', [this.hidden, graph.integers([0], [])], { axis: int(1) }));
  }

  /** What the pooler makes of the first token, [batch, hidden]; undefined for models without one. */
  pooled(): string | undefined {
    const id = ['pooler.dense', 'pooler'].find(each => this.has(each));
    if (!id) return this.settings.barePooler ? this.firstToken('pooler') : undefined;
    return this.act(this.linear(this.firstToken('pooler'), id), this.settings.poolerActivation, 'pooler');
  }

  fromPooler(): string {
    const vector = this.pooled();
    if (vector) return vector;
    throw fail('unsupported', 'The checkpoint says it is for {task}, but has no module {id}.', {
      task: this.anatomy.task,
      id: 'pooler',
    });
  }

  #organ(id: string): TopOrgan {
    this.used.add(id);
    return this.#organs.get(id)!;
  }

  /**
   * transformers keeps two biases beside an untied decoder, cls.predictions.bias and cls.predictions.decoder.bias, and adds the second;
   * the anatomy gives the decoder the first, which is the only one in all other checkpoints.
   */
  #withOwnBias(linear: Linear): Linear {
    const own = this.settings.untied && this.anatomy.unclaimed.find(({ name }) => name.endsWith(`${linear.id}.bias`));
    if (!own || own.shape.join() !== `${linear.out}`) return linear;
    this.used.add(own.name);
    return { ...linear, bias: own };
  }

  /** The table that a decoder is, or holds again. */
  #tied({ weight }: Linear): Table | undefined {
    const { tables, copies } = this.anatomy;
    const name = copies.get(weight.name) ?? weight.name;
    return tables.find(table => table.weight.name === name);
  }
}
