import type { Field } from '../../../src/core/passes/pass.ts';
import type { PassInfo, Recipe, Step } from '../../../src/protocol/messages.ts';

// The recipe as it is being edited: plain values in, plain values out.

export type FieldValue = Field['default'];

/** Fields that are typed as text ("0:1 3:0,2"): the recipe takes the text as it is. */
export type TextKind = 'integers' | 'units' | 'groups' | 'by-layer';
export type TextualField = Extract<Field, { kind: TextKind }>;

export interface DraftStep extends Step {
  /** Stays with the step while it moves. */
  readonly key: number;
}
export interface Draft {
  readonly steps: readonly DraftStep[];
  /** Index of the step whose options are shown. */
  readonly selected: number;
}

export const draftOf = (recipe: Recipe): Draft => ({
  steps: recipe.steps.map((step, index) => ({ ...step, key: index + 1 })),
  selected: Math.max(0, recipe.steps.length - 1),
});

/** An option that the others switch off stays in the draft, for when they switch it on again, and out of the recipe. */
export const recipeOf = ({ steps }: Draft, passes: readonly PassInfo[]): Recipe => ({
  version: 1,
  steps: steps.map(step => {
    const fields = passes.find(({ id }) => id === step.pass)?.fields ?? {};
    const isOn = ([name]: readonly [string, unknown]): boolean =>
      fields[name] === undefined || isShown(fields, step, fields[name]);
    return { pass: step.pass, options: Object.fromEntries(Object.entries(step.options).filter(isOn)) };
  }),
});

export function addStep({ steps }: Draft, pass: string): Draft {
  const key = Math.max(0, ...steps.map(step => step.key)) + 1;
  return { steps: [...steps, { pass, options: {}, key }], selected: steps.length };
}

export function removeStep({ steps, selected }: Draft, index: number): Draft {
  const left = steps.filter((_, at) => at !== index);
  const kept = selected > index || selected === left.length ? selected - 1 : selected;
  return { steps: left, selected: Math.max(0, kept) };
}

/** Moves a step by one place; the selection moves with it. */
export function moveStep({ steps, selected }: Draft, index: number, by: -1 | 1): Draft {
  const to = index + by;
  if (to < 0 || to >= steps.length) return { steps, selected };
  const moved = [...steps];
  [moved[index], moved[to]] = [moved[to]!, moved[index]!];
  return { steps: moved, selected: selected === index ? to : selected === to ? index : selected };
}

/** An option at its default is not written down: the recipe says what was chosen. */
export function withOption(draft: Draft, index: number, name: string, field: Field, value: FieldValue): Draft {
  const steps = draft.steps.map((step, at) => {
    if (at !== index) return step;
    const { [name]: _, ...others } = step.options;
    return { ...step, options: isDefault(field, value) ? others : { ...others, [name]: value } };
  });
  return { ...draft, steps };
}

/** What the step says, or the default; a value of another type than the field's counts as not said. */
export function optionOf(step: Step, name: string, field: Field): FieldValue {
  const value = step.options[name];
  return value !== undefined && fits(field, value) ? (value as FieldValue) : field.default;
}

function fits({ kind, default: standard }: Field, value: unknown): boolean {
  if (kind === 'globs') return Array.isArray(value);
  if (kind === 'by-layer') return Array.isArray(value) || typeof value === 'number' || typeof value === 'string';
  if (kind === 'number') return value === null || typeof value === 'number';
  return typeof value === typeof standard || typeof value === 'string';
}

export function isDefault(field: Field, value: FieldValue): boolean {
  return JSON.stringify(value) === JSON.stringify(field.default);
}

/** Is the field asked for, given what the others say? */
function isShown(fields: PassInfo['fields'], step: Step, field: Field): boolean {
  return Object.entries(field.when ?? {}).every(([other, values]) => {
    const controlling = fields[other];
    return controlling !== undefined && values.includes(String(optionOf(step, other, controlling)));
  });
}

/** The fields shown for a step, in the order they are declared. */
export const shownFields = (pass: PassInfo, step: Step): readonly (readonly [string, Field])[] =>
  Object.entries(pass.fields).filter(([, field]) => isShown(pass.fields, step, field));

/** A number as typed: undefined when it is none, or lies outside what the field allows; null for nothing where that is a choice. */
export function parseNumber(field: Extract<Field, { kind: 'number' }>, text: string): number | null | undefined {
  if (text.trim() === '') return field.default === null ? null : undefined;
  const value = Number(text.trim().replace(',', '.'));
  if (!Number.isFinite(value) || value < field.min || value > field.max) return undefined;
  if (field.values && !field.values.includes(value)) return undefined;
  if (field.step !== undefined && Number.isInteger(field.step) && !Number.isInteger(value)) return undefined;
  return value;
}

export const parseGlobs = (text: string): readonly string[] =>
  text
    .split('\n')
    .map(line => line.trim())
    .filter(Boolean);

/** Passes by the first word of their id, in the registry's order: "prune-heads" and "prune-layers" stand together. */
export function groupPasses(
  passes: readonly PassInfo[],
): readonly { readonly group: string; readonly passes: readonly PassInfo[] }[] {
  const groups = new Map<string, PassInfo[]>();
  for (const pass of passes) {
    const group = pass.id.split('-')[0]!;
    groups.set(group, [...(groups.get(group) ?? []), pass]);
  }
  return [...groups].map(([group, members]) => ({ group, passes: members }));
}
