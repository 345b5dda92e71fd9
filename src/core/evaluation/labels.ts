import { fail } from '../errors.ts';
import type { Task } from './task.ts';

/**
 * The class of each sample: a number from 0, or a name of config.json's id2label (case does not matter).
 * throws  'malformed' with the first line whose label the model does not have
 */
export function classesOf({ samples, file }: Task, classes: number, config: Readonly<Record<string, unknown>>): number[] {
  const names = new Map(
    Object.entries((config.id2label as Record<string, string> | undefined) ?? {}).map(([id, name]) => [
      String(name).toLowerCase(),
      Number(id),
    ]),
  );
  return samples.map(({ expected = '', line }) => {
    const label = /^\d+$/.test(expected) ? Number(expected) : names.get(expected.toLowerCase());
    if (label !== undefined && label < classes) return label;
    throw fail(
      'malformed',
      'Line {line}: the label “{label}” is none of the model’s {classes} classes ({names}).',
      { line, label: expected.slice(0, 40), classes, names: [...names.keys()].slice(0, 8).join(', ') || `0 – ${classes - 1}` },
      { file },
    );
  });
}
