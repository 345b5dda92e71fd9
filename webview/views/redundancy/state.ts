import { useState } from 'preact/hooks';
import { getState, setState } from '../../bridge.ts';

interface Saved {
  readonly version: 1;
  readonly values: Readonly<Record<string, unknown>>;
}

/** A state that survives hiding and reloading the page. Values are plain data; `key` names one of the page. */
export function useKept<T>(key: string, initial: T): [T, (value: T) => void] {
  const [value, set] = useState<T>(() => {
    const saved = getState<Saved>();
    return saved?.version === 1 && saved.values && key in saved.values ? (saved.values[key] as T) : initial;
  });
  return [
    value,
    next => {
      const saved = getState<Saved>();
      setState<Saved>({ version: 1, values: { ...(saved?.version === 1 ? saved.values : {}), [key]: next } });
      set(next);
    },
  ];
}
