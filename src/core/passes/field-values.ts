import type { Field } from './pass.ts';

/** What a person may write for a field, as its value; undefined for what does not fit. Lists and units may come as their text. */
export function valueFor(field: Field, given: unknown): unknown {
  switch (field.kind) {
    case 'number':
      if (given === null) return field.default === null ? null : undefined;
      return isNumber(given, field) && onStep(field, given) && (field.values?.includes(given) ?? true) ? given : undefined;
    case 'choice':
      return field.choices.some(choice => choice.value === given) ? given : undefined;
    case 'flag':
      return typeof given === 'boolean' ? given : undefined;
    case 'globs':
      return isList(given, it => typeof it === 'string' && it !== '') ? given : undefined;
    case 'integers': {
      const list = typeof given === 'string' ? integersOf(given.split(/[\s,]+/)) : given;
      return isIntegers(list) ? list : undefined;
    }
    case 'units': {
      const units = typeof given === 'string' ? unitsOf(given) : given;
      return isUnits(units) ? units : undefined;
    }
    case 'groups': {
      const groups = typeof given === 'string' ? groupsOf(given) : given;
      return isList(groups, isIntegers) ? groups : undefined;
    }
    case 'by-layer': {
      const value = typeof given === 'string' ? numbersOf(given) : given;
      return isNumber(value, field) || (isList(value, it => isNumber(it, field)) && value.length > 0) ? value : undefined;
    }
    case 'file':
      return typeof given === 'string' ? given : undefined;
    default:
      return field satisfies never;
  }
}

const isNumber = (value: unknown, { min, max }: { readonly min: number; readonly max: number }): value is number =>
  typeof value === 'number' && value >= min && value <= max;

const isList = (value: unknown, fits: (item: unknown) => boolean): value is unknown[] =>
  Array.isArray(value) && value.every(fits);

const isIntegers = (value: unknown): value is number[] =>
  isList(value, it => Number.isInteger(it) && (it as number) >= 0) && new Set(value).size === value.length;

const isUnits = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.entries(value).every(([layer, units]) => /^\d+$/.test(layer) && isIntegers(units));

type NumberField = Extract<Field, { kind: 'number' }>;

const onStep = ({ min, step }: NumberField, value: number): boolean =>
  step === undefined || Number.isInteger(Math.round(((value - min) / step) * 1e9) / 1e9);

/** "1", "0-2" -> 1, 0, 1, 2. A word that is neither makes the whole no list. */
function integersOf(words: readonly string[]): number[] | undefined {
  const found: number[] = [];
  for (const word of words.filter(it => it !== '')) {
    const range = /^(\d+)(?:-(\d+))?$/.exec(word);
    if (!range) return undefined;
    const [first, last] = [Number(range[1]), Number(range[2] ?? range[1])];
    if (last < first || last - first > 1e6) return undefined;
    for (let i = first; i <= last; i++) found.push(i);
  }
  return found;
}

/** "0:1 3:0,2", or JSON. */
function unitsOf(text: string): unknown {
  if (text.trim().startsWith('{')) return parsed(text);
  const found: Record<string, number[]> = {};
  for (const word of text.split(/\s+/).filter(it => it !== '')) {
    const [layer, units, ...rest] = word.split(':');
    const list = units === undefined ? undefined : integersOf(units.split(','));
    if (!list || rest.length > 0 || found[layer!]) return undefined;
    found[layer!] = list;
  }
  return found;
}

/** "0-2 3,5", or JSON. */
function groupsOf(text: string): unknown {
  if (text.trim().startsWith('[')) return parsed(text);
  return text
    .split(/\s+/)
    .filter(it => it !== '')
    .map(word => integersOf(word.split(',')));
}

function numbersOf(text: string): number | number[] | undefined {
  const numbers = text
    .split(/[\s,]+/)
    .filter(it => it !== '')
    .map(Number);
  if (numbers.length === 0 || numbers.some(Number.isNaN)) return undefined;
  return numbers.length === 1 ? numbers[0] : numbers;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
