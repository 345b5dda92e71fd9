import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { KeptEvaluation, KeptRecord, Made } from '../protocol/messages.ts';
import { commandLine } from './command-line.ts';
import { toFailure } from './failure.ts';
import type { Services } from './services.ts';

// What is kept beside a model as NAME.headroom.json: a file that anyone may have written.

/** Keeps how a result was made. What cannot be kept is no reason to fail: the result is there. */
export async function keepMade({ engine, log, documents }: Services, made: Made): Promise<void> {
  const { out } = made.report;
  try {
    await engine.api.keepRecord(out, { made });
    documents.recall(out);
  } catch (error) {
    log.failed(`keep a record beside ${out}`, toFailure(error));
  }
}

/** The record of a model, when there is one that can be read; what cannot be is in the log. */
export async function recall(
  { engine, log }: Services,
  path: string,
): Promise<{ readonly record: KeptRecord; readonly changed: boolean } | null> {
  try {
    return await engine.api.record(path);
  } catch (error) {
    log.failed(`read the record beside ${path}`, toFailure(error));
    return null;
  }
}

/** The newest measurement of `after` against `before`. */
export const measuredAgainst = (record: KeptRecord, after: string, before: string): KeptEvaluation | undefined =>
  record.evaluations.find(({ against }) => against !== null && againstPath(after, against) === resolve(before));

/** A record from elsewhere must not make this machine call another: no path of a network share. What lies on the same share is relative. */
export const isElsewhere = (against: string): boolean => /^[\\/]{2}/.test(against);

/** Where the model lies that a measurement was held against. */
export const againstPath = (path: string, against: string): string =>
  isAbsolute(against) ? resolve(against) : join(dirname(path), against);

/**
 * How a model was made, as its record tells it: only passes and options that exist, and the command written anew, since a record from
 * elsewhere must not choose what a person pastes into a terminal.
 */
export async function madeOf({ engine }: Services, record: KeptRecord, before: string, after: string): Promise<Made | null> {
  if (!record.made) return null;
  const passes = await engine.api.passes();
  const { recipe, report, calibration: said } = record.made;
  const known = recipe.steps.every(({ pass, options }) => {
    const fields = passes.find(({ id }) => id === pass)?.fields;
    return fields && Object.keys(options ?? {}).every(name => Object.hasOwn(fields, name));
  });
  if (!known) return null;
  const clean = { version: 1 as const, steps: recipe.steps.map(({ pass, options }) => ({ pass, options: options ?? {} })) };
  const calibration = typeof said === 'string' && said !== '' ? said : undefined;
  const command = commandLine(before, clean, after, passes, calibration);
  return { recipe: clean, report: { ...report, out: after }, command, ...(calibration !== undefined && { calibration }) };
}
