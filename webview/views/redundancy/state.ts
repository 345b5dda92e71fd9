import { useState } from 'preact/hooks';
import { getState, setState } from '../../bridge.ts';

interface Saved {
  readonly version: 1;
  readonly values: Readonly<Record<string, unknown>>;
}

const saved = (): Saved['values'] => {
  const state = getState<Saved>();
  return (state?.version === 1 && state.values) || {};
};

/** A value that survives hiding and reloading the page; plain data. `key` names one of the page. */
export const kept = <T>(key: string): T | undefined => saved()[key] as T | undefined;

export const keep = (key: string, value: unknown): void => setState<Saved>({ version: 1, values: { ...saved(), [key]: value } });

/** A state that is kept. */
export function useKept<T>(key: string, initial: T): [T, (value: T) => void] {
  const [value, set] = useState<T>(() => kept<T>(key) ?? initial);
  return [
    value,
    next => {
      keep(key, next);
      set(next);
    },
  ];
}
