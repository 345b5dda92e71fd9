import { cost } from './limits.ts';
import type { FieldPlace, Message } from './walk.ts';
import type { WireSparse, WireTensor } from './wire-types.ts';

/** Shared by all that have nothing: a graph of a million nodes has many empty lists. */
export const none = Object.freeze([]) as readonly never[] as never[];

/** A list with more at its end. Short ones take no more room than they need: a push or a spread would make room for 16. */
export function appended<T>(list: T[], values: readonly T[]): T[] {
  if (list.length < shortList) return list.concat(values);
  for (const value of values) list.push(value);
  return list;
}

const shortList = 8;

export const text = (value: unknown): string => (typeof value === 'string' ? value : '');
export const lastOf = (values: unknown): number => (values as number[]).at(-1) ?? 0;

export const entry: Message<[string, string]> = {
  rules: { 1: 'text', 2: 'text' },
  begin: () => ['', ''],
  field(state, value, { number }) {
    if (number === 1) state[0] = text(value);
    if (number === 2) state[1] = text(value);
  },
};

export const tensorMessage: Message<WireTensor> = {
  rules: {
    1: 'integers',
    2: 'integers',
    3: 'bulk',
    4: 'bulk',
    5: 'bulk',
    6: 'bulk',
    7: 'bulk',
    8: 'text',
    9: 'bulk',
    10: 'bulk',
    11: 'bulk',
    13: entry as Message<never>,
    14: 'integers',
  },
  begin: ({ start, end }) => ({
    name: '',
    dims: none,
    dataType: 0,
    raw: undefined,
    typed: none,
    external: none,
    isExternal: false,
    hasSegment: false,
    start,
    end,
  }),
  field(state, value, at) {
    switch (at.number) {
      case 1:
        if (Array.isArray(value)) state.dims = appended(state.dims, value as number[]);
        break;
      case 2:
        if (value) state.dataType = lastOf(value);
        break;
      case 3:
        state.hasSegment = true;
        break;
      case 4:
      case 5:
      case 6:
      case 7:
      case 10:
      case 11:
        return addTyped(state, at);
      case 8:
        state.name = text(value);
        break;
      case 9:
        if (at.wire === 2) state.raw = { start: at.start, end: at.end };
        break;
      case 13:
        if (value) state.external = appended(state.external, [value as [string, string]]);
        break;
      case 14:
        if (value) state.isExternal = lastOf(value) === 1;
    }
    return 0;
  },
};

function addTyped(state: WireTensor, { number, wire, tag, start, end }: FieldPlace): number {
  const last = state.typed.at(-1);
  if (wire === 3) return 0;
  if (wire !== 2 && last && last.number === number && last.wire === wire && last.end === tag) {
    last.end = end;
    return 0;
  }
  state.typed = appended(state.typed, [{ number, wire, start: wire === 2 ? start : tag, end }]);
  return cost.run;
}

export const sparseMessage: Message<WireSparse> = {
  rules: { 1: tensorMessage as Message<never>, 2: tensorMessage as Message<never> },
  begin: ({ start, end }) => ({ values: undefined, indices: undefined, start, end }),
  field(state, value, { number }) {
    if (number === 1 && value) state.values = value as WireTensor;
    if (number === 2 && value) state.indices = value as WireTensor;
  },
};
