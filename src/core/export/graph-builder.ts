import type { Compact, Linear, Norm, Table } from '../anatomy/anatomy.ts';
import { emitCompact } from '../anatomy/compact.ts';
import type { Attribute, Node, ValueInfo } from '../model/graph.ts';
import { newNode } from '../model/graph-edit.ts';
import { UniqueNames } from '../model/unique-names.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { ReadAhead } from './read-ahead.ts';
import { decimal, wholeNumbers, widened } from './stored.ts';
import { turned } from './turned.ts';

const int = (value: number): Attribute => ({ type: 'int', value });
const float = (value: number): Attribute => ({ type: 'float', value });
const ints = (value: readonly number[]): Attribute => ({ type: 'ints', value });

/**
 * A graph in the making. Values are strings, as ONNX has them; every method adds nodes and returns the value they make.
 * What is stored once in the checkpoint (ALBERT's layer, a tied table) is one initializer.
 */
export class GraphBuilder {
  readonly nodes: Node[] = [];
  readonly tensors = new Map<string, Tensor>();
  readonly inputs: ValueInfo[] = [];
  readonly outputs: ValueInfo[] = [];
  readonly #names = new UniqueNames();
  readonly #stored = new Map<string, string>();
  readonly #ahead = new ReadAhead();
  readonly #epsilon: number;
  #scope = '';

  /** `epsilon` of every norm. */
  constructor(epsilon: number) {
    this.#epsilon = epsilon;
  }

  /** Names of the nodes that `build` adds begin with the path of a module, as PyTorch's exporter writes it: /encoder/layer.0. */
  within<T>(path: string, build: () => T): T {
    const before = this.#scope;
    this.#scope = `/${path.replace(/\.(?!\d)/g, '/')}`;
    const made = build();
    this.#scope = before;
    return made;
  }

  input(name: string, shape: readonly string[] = ['batch', 'sequence']): string {
    this.inputs.push({ name, dtype: 'int64', shape });
    this.#names.unique(name);
    return name;
  }

  output(name: string, value: string, shape: readonly (string | number)[]): void {
    this.nodes.push(newNode('Identity', [value], [name], { name: `/${name}/Identity` }));
    this.outputs.push({ name, dtype: 'fp32', shape });
  }

  node(opType: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    return this.nodeOf(opType, inputs, 1, attributes)[0]!;
  }

  nodeOf(opType: string, inputs: readonly string[], count: number, attributes: Readonly<Record<string, Attribute>>): string[] {
    const name = this.#names.unique(`${this.#scope}/${opType}`, (wanted, number) => `${wanted}_${number - 1}`);
    const outputs = Array.from({ length: count }, (_, index) => `${name}_output_${index}`);
    this.nodes.push(newNode(opType, inputs, outputs, { name, attributes }));
    return outputs;
  }

  /** A number of the graph's own. */
  number(value: number): string {
    return this.#once(`f${value}`, `constant.${value}`, name => decimal(name, value));
  }

  integers(values: readonly number[], shape: readonly number[] = [values.length]): string {
    const key = `i${values.join()}:${shape.join()}`;
    return this.#once(
      key,
      `integers.${values.length > 8 ? `of_${values.length}` : values.join('_')}${shape.length === 0 ? '.scalar' : ''}`,
      name => wholeNumbers(name, values, shape),
    );
  }

  /** y = x W^T + b by MatMul and Add: what onnxruntime multiplies in one run of all rows, and what every quantizer knows. */
  linear(value: string, { id, weight, bias, transposed, factors, compact }: Linear): string {
    if (compact) return this.within(id, () => this.#biased(this.#compact(value, compact), id, bias));
    if (factors) return this.linear(this.linear(value, factors.first), factors.second);
    return this.within(id, () => {
      const matrix = this.#once(`t${weight.name}`, `${id}.weight`, name =>
        transposed ? widened(weight, name) : turned(weight, name, this.#ahead),
      );
      return this.#biased(this.node('MatMul', [value, matrix]), id, bias);
    });
  }

  #compact(value: string, { kind, parts }: Compact): string {
    const names = parts.map(({ id, weight }) => this.parameter(weight, `${id}.weight`));
    const emit = {
      node: (opType: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}) =>
        this.node(opType, inputs, attributes),
      integers: (values: readonly number[]) => this.integers(values),
    };
    return emitCompact(
      emit,
      kind,
      parts.map(({ weight }) => weight.shape),
      names,
      value,
    );
  }

  /** y = x T^T + b with a table of the graph, which is stored once; onnxruntime turns it when it loads the model. */
  tiedLinear(value: string, { id, bias }: Pick<Linear, 'id' | 'bias'>, table: Table): string {
    return this.within(id, () => {
      const matrix = this.node('Transpose', [this.table(table)], { perm: ints([1, 0]) });
      return this.#biased(this.node('MatMul', [value, matrix]), id, bias);
    });
  }

  #biased(product: string, id: string, bias: Tensor | undefined): string {
    return bias ? this.node('Add', [product, this.parameter(bias, `${id}.bias`)]) : product;
  }

  norm(value: string, { id, weight, bias }: Norm, epsilon = this.#epsilon): string {
    const given = [weight && this.parameter(weight, `${id}.weight`), bias && this.parameter(bias, `${id}.bias`)];
    return this.within(id, () =>
      this.node('LayerNormalization', [value, ...given.filter(name => name !== undefined)], {
        axis: int(-1),
        epsilon: float(epsilon),
      }),
    );
  }

  /** weight * value + bias: MobileBERT's norm, which does not norm. */
  scaled(value: string, { id, weight, bias }: Norm): string {
    return this.within(id, () => {
      const product = weight ? this.node('Mul', [value, this.parameter(weight, `${id}.weight`)]) : value;
      return bias ? this.node('Add', [product, this.parameter(bias, `${id}.bias`)]) : product;
    });
  }

  /** Whether a tensor of the checkpoint is in the graph. */
  holds({ name }: Tensor): boolean {
    return this.#stored.has(`p${name}`) || this.#stored.has(`t${name}`);
  }

  table({ id, weight }: Table): string {
    return this.parameter(weight, `${id}.weight`);
  }

  lookUp(table: Table, rows: string): string {
    return this.within(table.id, () => this.node('Gather', [this.table(table), rows], { axis: int(0) }));
  }

  /** A tensor of the checkpoint that lies as the graph needs it. */
  parameter(tensor: Tensor, wanted: string): string {
    return this.#once(`p${tensor.name}`, wanted, name => widened(tensor, name));
  }

  reshape(value: string, shape: readonly number[]): string {
    return this.node('Reshape', [value, this.integers(shape)]);
  }

  transpose(value: string, perm: readonly number[]): string {
    return this.node('Transpose', [value], { perm: ints(perm) });
  }

  #once(key: string, wanted: string, make: (name: string) => Tensor): string {
    const known = this.#stored.get(key);
    if (known !== undefined) return known;
    const name = this.#names.unique(wanted, (base, number) => `${base}.${number}`);
    this.#stored.set(key, name);
    this.tensors.set(name, make(name));
    return name;
  }
}

export { float, int, ints };
