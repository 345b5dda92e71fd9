import type { Attribute } from '../../model/graph.ts';
import { ConstantTensor } from './tensor.ts';
import type { WireAttribute } from './wire-types.ts';

/** The value of an attribute that holds neither a tensor nor a graph. */
export function plainAttribute(wire: WireAttribute): Attribute {
  if (wire.isOther) return { type: 'other' };
  if (wire.refers) return { type: 'other', refers: wire.refers };
  switch (wire.type || guessedType(wire)) {
    case 1:
      return { type: 'float', value: wire.float };
    case 2:
      return { type: 'int', value: wire.integer };
    case 3:
      return { type: 'string', value: wire.text ?? '' };
    case 6:
      return { type: 'floats', value: wire.floats };
    case 7:
      return { type: 'ints', value: wire.integers };
    case 8:
      return { type: 'strings', value: wire.texts };
    default:
      return { type: 'other' };
  }
}

/** Files of IR version 1 may leave the type out. */
function guessedType(wire: WireAttribute): number {
  if (wire.text !== undefined) return 3;
  if (wire.floats.length > 0) return 6;
  if (wire.integers.length > 0) return 7;
  if (wire.texts.length > 0) return 8;
  if (wire.integer !== 0) return 2;
  return wire.float !== 0 ? 1 : 0;
}

/** The tensor of a Constant that is not written as one. */
export function constantOf(wire: WireAttribute, value: Attribute, name: string): ConstantTensor | undefined {
  if (wire.name === 'value_float' && value.type === 'float') return new ConstantTensor(name, 'fp32', [], [value.value]);
  if (wire.name === 'value_int' && value.type === 'int') return new ConstantTensor(name, 'int64', [], [value.value]);
  if (wire.name === 'value_floats' && value.type === 'floats')
    return new ConstantTensor(name, 'fp32', [value.value.length], value.value);
  if (wire.name === 'value_ints' && value.type === 'ints')
    return new ConstantTensor(name, 'int64', [value.value.length], value.value);
  return undefined;
}
