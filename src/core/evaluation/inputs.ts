import { fail } from '../errors.ts';
import type { Feed, Runner, RunnerInput } from './runtime.ts';
import type { Encoding } from './tokenize/tokenizer.ts';

// B batch, T tokens

/** What an input of a model stands for. */
type Role = 'ids' | 'mask' | 'types' | 'positions';

const roles: readonly (readonly [Role, RegExp])[] = [
  ['ids', /^(input_ids|input_word_ids|ids|tokens|input|input\.1|input_ids[:_]0|input_1)$/i],
  ['mask', /^(attention_mask|input_mask|mask|attn_mask|attention_mask[:_]0)$/i],
  ['types', /^(token_type_ids|segment_ids|input_type_ids|token_type_ids[:_]0)$/i],
  ['positions', /^position_ids$/i],
];

/** How a model is fed: fixed sizes of its inputs, where it has any, and what each input stands for. */
export interface Inputs {
  readonly roles: ReadonlyMap<string, Role>;
  readonly fixedBatch?: number;
  readonly fixedLength?: number;
}

/** throws 'unsupported' naming each input that is none of ids, mask, types and positions. */
export function inputsOf({ name: file, inputs }: Pick<Runner, 'name' | 'inputs'>): Inputs {
  const found = new Map<string, Role>();
  const unknown: string[] = [];
  for (const input of inputs) {
    const role = roleOf(input);
    if (role) found.set(input.name, role);
    else unknown.push(`${input.name} (${input.type} [${input.shape.map(size => size || '?').join(', ')}])`);
  }
  if (unknown.length > 0 || ![...found.values()].includes('ids'))
    throw fail(
      'unsupported',
      'This model needs inputs that Headroom cannot give it: {names}. Known are input_ids, attention_mask, token_type_ids and position_ids.',
      { names: unknown.slice(0, 8).join(', ') || '-' },
      { file },
    );
  const [batch, length] = inputs.find(input => found.get(input.name) === 'ids')!.shape;
  return {
    roles: found,
    ...(typeof batch === 'number' && batch > 0 && { fixedBatch: batch }),
    ...(typeof length === 'number' && length > 0 && { fixedLength: length }),
  };
}

function roleOf({ name, type, shape }: RunnerInput): Role | undefined {
  if (shape.length !== 2 || !['int64', 'int32', 'float32', 'bool'].includes(type)) return undefined;
  return roles.find(([, pattern]) => pattern.test(name))?.[0];
}

/** Rows of ids, filled up on the right. `firstPosition` is 0, or what RoBERTa begins with (pad + 1). */
export function feeds(
  { roles: wanted, fixedBatch, fixedLength }: Inputs,
  rows: readonly Encoding[],
  pad: number,
  firstPosition: number,
): { readonly feeds: Map<string, Feed>; readonly length: number } {
  const length = fixedLength ?? Math.max(1, ...rows.map(row => row.ids.length));
  const batch = fixedBatch ?? rows.length;
  const found = new Map<string, Feed>();
  for (const [name, role] of wanted) {
    const ids_BT = new Int32Array(batch * length).fill(
      role === 'ids' ? pad : role === 'positions' ? Math.max(0, firstPosition - 1) : 0,
    );
    for (let b = 0; b < batch; b++) {
      // A batch of fixed size is filled up with its last row.
      const { ids, types } = rows[Math.min(b, rows.length - 1)]!;
      for (let t = 0; t < ids.length; t++)
        ids_BT[b * length + t] =
          role === 'ids' ? ids[t]! : role === 'mask' ? 1 : role === 'types' ? types[t]! : firstPosition + t;
    }
    found.set(name, { ids_BT, shape: [batch, length] });
  }
  return { feeds: found, length };
}
