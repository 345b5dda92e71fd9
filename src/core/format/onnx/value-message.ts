import { type DType, dtypeOfOnnx } from '../../tensor/dtype.ts';
import { lastOf, text } from './tensor-message.ts';
import type { Message } from './walk.ts';
import type { WireValueInfo } from './wire-types.ts';

const dimensionMessage: Message<{ size: number | string | undefined }> = {
  rules: { 1: 'integers', 2: 'text' },
  begin: () => ({ size: undefined }),
  field(state, value, { number }) {
    if (number === 1 && value) state.size = lastOf(value);
    if (number === 2 && typeof value === 'string') state.size = value || undefined;
  },
};

const shapeMessage: Message<(number | string | undefined)[]> = {
  rules: { 1: dimensionMessage as Message<never> },
  begin: () => [],
  field(state, value, { number }) {
    if (number === 1 && value) state.push((value as { size: number | string | undefined }).size);
  },
};

type Typed = { dtype?: DType; shape?: (number | string | undefined)[] };
const tensorTypeMessage: Message<Typed> = {
  rules: { 1: 'integers', 2: shapeMessage as Message<never> },
  begin: () => ({}),
  field(state, value, { number }) {
    const dtype = number === 1 && value ? dtypeOfOnnx(lastOf(value)) : undefined;
    if (dtype) state.dtype = dtype;
    if (number === 2 && value) state.shape = value as (number | string | undefined)[];
  },
};

const typeMessage: Message<{ tensor?: Typed }> = {
  rules: { 1: tensorTypeMessage as Message<never> },
  begin: () => ({}),
  field(state, value, { number }) {
    if (number === 1 && value) state.tensor = value as Typed;
  },
};

export const valueInfoMessage: Message<WireValueInfo> = {
  rules: { 1: 'text', 2: typeMessage as Message<never> },
  begin: ({ start, end }) => ({ name: '', start, end }),
  field(state, value, { number }) {
    if (number === 1) state.name = text(value);
    if (number === 2 && value) Object.assign(state, (value as { tensor?: Typed }).tensor);
  },
};
