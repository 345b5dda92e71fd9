import type { Tensor } from '../tensor/tensor.ts';
import type { Edit } from './pass.ts';

/** What a report says of an edit: which organ, and what stood and stands there. */
export interface EditLine {
  readonly kind: Edit['kind'];
  /** Id of an organ. */
  readonly target: string;
  readonly before: string;
  readonly after: string;
}

export function describeEdit(edit: Edit): EditLine {
  const { kind } = edit;
  switch (kind) {
    case 'quantize':
    case 'cast':
      return {
        kind,
        target: edit.target.id,
        before: described(edit.target.weight),
        after: `${edit.values.dtype} ${shapeOf(edit.target.weight)}`,
      };
    case 'store':
      return {
        kind,
        target: edit.target.id,
        before: described(edit.target.weight),
        after: `${edit.values.dtype === 'int32' ? `int${edit.bits}` : edit.values.dtype} ${shapeOf(edit.target.weight)}`,
      };
    case 'convert': {
      const dtypes = new Set([...edit.tensors.values()].map(({ dtype }) => dtype));
      return { kind, target: '*', before: `${edit.tensors.size} tensors`, after: [...dtypes].join(', ') };
    }
    case 'quantize-blocks': {
      const after = `int${edit.bits} ${shapeOf(edit.target.weight)} in blocks of ${edit.blockSize}`;
      return { kind, target: edit.target.id, before: described(edit.target.weight), after };
    }
    case 'replace': {
      const { target } = edit;
      const stood = edit.weight ? target.weight : 'bias' in target ? target.bias : undefined;
      const before = stood ? described(stood) : '';
      return { kind, target: edit.target.id, before, after: before };
    }
    case 'remove-heads':
      return { kind, target: `encoder.layer.${edit.layer}.attention`, before: `heads ${edit.heads.join(', ')}`, after: '' };
    case 'remove-neurons':
      return { kind, target: `encoder.layer.${edit.layer}.intermediate`, before: `${edit.neurons.length} neurons`, after: '' };
    case 'remove-layers':
      return { kind, target: 'encoder', before: `layers ${edit.layers.join(', ')}`, after: '' };
    case 'remove-rows':
      return { kind, target: edit.table, before: '', after: `${edit.keep.length} rows` };
    case 'remove-hidden':
      return { kind, target: '*', before: `hidden ${edit.widening.weight.shape[0]}`, after: `hidden ${edit.hidden}` };
    case 'factor':
      return {
        kind,
        target: edit.target.id,
        before: described(edit.target.weight),
        after: `${edit.first.dtype} ${shapeOf(edit.first)} x ${shapeOf(edit.second)}`,
      };
    case 'compact':
      return {
        kind,
        target: edit.target.id,
        before: described(edit.target.weight),
        after: `${edit.form}: ${edit.parts[0]!.dtype} ${edit.parts.map(shapeOf).join(' + ')}`,
      };
    case 'narrow-heads': {
      const target = `encoder.layer.${edit.layer}.attention.self`;
      return { kind, target, before: '', after: `${edit.query.weight.dtype}: query and key ${edit.width} wide in each head` };
    }
    case 'share':
      return {
        kind,
        target: 'encoder',
        before: '',
        after: edit.groups.map(group => `[${group.join(', ')}]`).join(' '),
      };
    default:
      return edit satisfies never;
  }
}

const shapeOf = ({ shape }: Tensor): string => `[${shape.join(', ')}]`;
const described = (tensor: Tensor): string => `${tensor.dtype} ${shapeOf(tensor)}`;
