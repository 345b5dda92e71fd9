import { fail, sentence } from '../errors.ts';
import { valueFor } from './field-values.ts';
import type { Field, Fields, Recipe, Step } from './pass.ts';
import { passes } from './registry.ts';

const version = 1;

/** A recipe with every option filled in. Throws 'bad-recipe': which step, which option, what was found, what is allowed. */
export function parseRecipe(json: unknown): Recipe {
  if (!isRecord(json)) throw fail('bad-recipe', 'A recipe is a JSON object, not {found}.', { found: shown(json) });
  if (json.version === undefined)
    throw fail('bad-recipe', 'The recipe has no version. Begin it with {example}', { example: '"version": 1' });
  if (json.version !== version)
    throw fail('bad-recipe', 'The recipe has version {found}; this Headroom reads version {expected}.', {
      found: shown(json.version),
      expected: version,
    });
  for (const key of Object.keys(json))
    if (key !== 'version' && key !== 'steps')
      throw fail('bad-recipe', 'The recipe has an entry “{key}”; it may have only version and steps.', { key });
  const { steps } = json;
  if (!Array.isArray(steps) || steps.length === 0)
    throw fail('bad-recipe', 'The recipe has no steps. Give at least one: {example}', {
      example: '{ "pass": "quantize", "options": {} }',
    });
  return { version, steps: steps.map((step, index) => parseStep(step, index + 1)) };
}

function parseStep(json: unknown, number: number): Step {
  if (!isRecord(json)) throw fail('bad-recipe', 'Step {number} is {found}, not an object.', { number, found: shown(json) });
  const known = passes.map(it => it.id).join(', ');
  const id = json.pass;
  if (id === undefined) throw fail('bad-recipe', 'Step {number} names no pass. There is: {passes}.', { number, passes: known });
  const pass = passes.find(it => it.id === id);
  if (!pass)
    throw fail('bad-recipe', 'Step {number} names the pass {found}. There is: {passes}.', {
      number,
      found: shown(id),
      passes: known,
    });
  for (const key of Object.keys(json))
    if (key !== 'pass' && key !== 'options')
      throw fail('bad-recipe', 'Step {number} has an entry “{key}”; it may have only pass and options.', { number, key });
  const options = json.options ?? {};
  if (!isRecord(options))
    throw fail('bad-recipe', 'Step {number} ({pass}): options is {found}, not an object.', {
      number,
      pass: pass.id,
      found: shown(options),
    });
  return { pass: pass.id, options: parseOptions(options, pass.fields, pass.id, number) };
}

/** The options of one step, checked against the pass's declarations, the default where none is given. */
function parseOptions(
  given: Readonly<Record<string, unknown>>,
  fields: Fields,
  pass: string,
  number: number,
): Record<string, unknown> {
  for (const name of Object.keys(given))
    if (!Object.hasOwn(fields, name)) throw unknownOption(name, Object.keys(fields), pass, number);
  const options: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    const value = given[name] === undefined ? field.default : valueFor(field, given[name]);
    if (value === undefined) throw wrongValue(field, { number, pass, option: name, found: shown(given[name]) });
    options[name] = value;
  }
  refuseIdle(options, fields, pass, number);
  return options;
}

/** An option that the others switch off must stay at its default: nothing a person asks for is dropped in silence. */
function refuseIdle(options: Record<string, unknown>, fields: Fields, pass: string, number: number): void {
  for (const [name, field] of Object.entries(fields))
    for (const [other, values] of Object.entries(field.when ?? {}))
      if (!values.includes(String(options[other])) && JSON.stringify(options[name]) !== JSON.stringify(field.default))
        throw fail(
          'bad-recipe',
          'Step {number} ({pass}): {option} has no effect while {other} is {value}. It goes with {values}.',
          {
            number,
            pass,
            option: name,
            other,
            value: String(options[other]),
            values: values.join(', '),
          },
        );
}

function unknownOption(name: string, known: readonly string[], pass: string, number: number): Error {
  const nearest = [...known].sort((a, b) => distance(name, a) - distance(name, b))[0];
  const close = nearest !== undefined && distance(name, nearest) <= Math.max(2, name.length / 3);
  return fail(
    'bad-recipe',
    'Step {number} ({pass}): there is no option “{option}”.',
    { number, pass, option: name },
    {
      hint: close
        ? sentence('Did you mean {nearest}?', { nearest })
        : sentence('The options are: {options}.', { options: known.join(', ') }),
    },
  );
}

type NumberField = Extract<Field, { kind: 'number' }>;

interface Place {
  readonly [key: string]: string | number;
  readonly number: number;
  readonly pass: string;
  readonly option: string;
  readonly found: string;
}

function wrongValue(field: Field, at: Place): Error {
  const oneOf = (allowed: readonly (string | number)[]) =>
    fail('bad-recipe', 'Step {number} ({pass}): {option} is {found}. It must be one of {allowed}.', {
      ...at,
      allowed: allowed.join(', '),
    });
  switch (field.kind) {
    case 'number': {
      const few = fewValues(field);
      if (few) return oneOf(few);
      const { min, max } = field;
      return fail('bad-recipe', 'Step {number} ({pass}): {option} is {found}. It must be a number from {min} to {max}.', {
        ...at,
        min,
        max,
      });
    }
    case 'choice':
      return oneOf(field.choices.map(choice => choice.value));
    case 'flag':
      return fail('bad-recipe', 'Step {number} ({pass}): {option} is {found}. It must be true or false.', at);
    case 'globs':
      return fail('bad-recipe', 'Step {number} ({pass}): {option} is {found}. It must be a list of patterns such as {example}.', {
        ...at,
        example: '["encoder.layer.0.*"]',
      });
    case 'integers':
      return shaped(at, '[0, 2]', '0 2');
    case 'units':
      return shaped(at, '{ "0": [1], "3": [0, 2] }', '0:1 3:0,2');
    case 'groups':
      return shaped(at, '[[0, 1, 2], [3, 4, 5]]', '0-2 3-5');
    case 'by-layer':
      return fail(
        'bad-recipe',
        'Step {number} ({pass}): {option} is {found}. It must be a number from {min} to {max}, or a list with one for each layer.',
        { ...at, min: field.min, max: field.max },
      );
    case 'file':
      return fail('bad-recipe', 'Step {number} ({pass}): {option} is {found}. It must be the path of a file.', at);
    default:
      return field satisfies never;
  }
}

const shaped = (at: Place, json: string, text: string) =>
  fail('bad-recipe', 'Step {number} ({pass}): {option} is {found}. It must look like {json}, or as text {text}.', {
    ...at,
    json,
    text,
  });

/** All values of a field that has few. */
function fewValues({ min, max, step, values }: NumberField): readonly number[] | undefined {
  if (values) return values;
  const count = step === undefined ? Infinity : Math.floor((max - min) / step) + 1;
  return count <= 4 ? Array.from({ length: count }, (_, i) => min + i * step!) : undefined;
}

/** Edits that turn one word into the other (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length]!;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What was found, as short JSON. */
function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
