import type { ByteSource } from '../../bytes/source.ts';
import type { Part } from '../../model/model.ts';
import type { WireModel } from './wire-types.ts';

/** The elements of every tensor are `tensors`, the metadata's entries are `metadata`, the rest of the file is `graph`. */
export function partsOf(wire: WireModel, tensors: number, [file, ...external]: readonly ByteSource[]): Part[] {
  const metadata = wire.metadataSpans.reduce((sum, span) => sum + span.end - span.start, 0);
  const { name, byteLength } = file!;
  return [
    { kind: 'graph', file: name, byteLength: byteLength - tensors - metadata },
    { kind: 'tensors', file: name, byteLength: tensors },
    { kind: 'metadata', file: name, byteLength: metadata },
    ...external.map(source => ({ kind: 'external' as const, file: source.name, byteLength: source.byteLength })),
  ];
}
