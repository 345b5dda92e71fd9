import type { Model } from '../model/model.ts';

/** A target that stands for one name, with or without what may come before it: "re:(.*\.)?encoder\.layer\.0$". */
const oneName = /^(?:re:(?:\^?\.\*|\(\.\*\\\.\)\?)?)?((?:[\w-]|\\?\.)+)\$?$/;

/**
 * The bits that compressed-tensors' groups state for a module, where a group names it; other patterns are not tried, since they come
 * from a file. undefined where none does.
 */
export function statedBits({ config }: Model): (module: string) => number | undefined {
  const stated = new Map<string, number>();
  const groups = childOf(childOf(config, 'quantization_config'), 'config_groups');
  for (const group of Object.values(groups ?? {})) {
    const bits = childOf(childOf(group, 'weights'), 'num_bits');
    const targets = childOf(group, 'targets');
    if (typeof bits !== 'number' || !Array.isArray(targets)) continue;
    for (const target of targets) {
      const name = typeof target === 'string' ? oneName.exec(target)?.[1] : undefined;
      if (name) stated.set(name.replaceAll('\\', ''), bits);
    }
  }
  return module => {
    for (let rest = module; ; rest = rest.slice(rest.indexOf('.') + 1)) {
      const bits = stated.get(rest);
      if (bits !== undefined || !rest.includes('.')) return bits;
    }
  };
}

const childOf = (value: unknown, key: string): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null ? (value as Record<string, Readonly<Record<string, unknown>>>)[key] : undefined;
