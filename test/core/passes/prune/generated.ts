import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { after } from 'node:test';
import type { Calibration } from '../../../../src/core/calibration/calibration.ts';
import type { Edit, PassContext } from '../../../../src/core/passes/pass.ts';
import { openCalibration } from '../../../../src/core/session/calibrate.ts';
import { type Opened, openPath } from '../../../../src/core/session/open.ts';

const generated = resolve(import.meta.dirname, '../../../../../shared/generated');
export const skip = existsSync(generated) ? false : 'skipped: no generated models';
const words = 'a b c d the cat sat on mat x y z w one two three four five'.split(' ');
/** Sentences of 3 to 9 words, each another. */
export const texts = Array.from({ length: 60 }, (_, t) =>
  Array.from({ length: 3 + (t % 7) }, (_, w) => words[(t * 7 + w * (1 + (t % 5)) + ((t * w) >> 2)) % words.length]).join(' '),
);

export interface Subject {
  readonly opened: Opened;
  readonly calibration: Calibration<Edit> & { close(): Promise<void> };
}

const subjects = new Map<string, Promise<Subject>>();

/** A generated model with the texts, opened once and closed behind the last test. */
export const subject = (name: string): Promise<Subject> => {
  const open = async () => {
    const opened = await openPath(join(generated, name));
    return { opened, calibration: await openCalibration(opened, opened, texts) };
  };
  if (!subjects.has(name)) subjects.set(name, open());
  return subjects.get(name)!;
};

after(async () => {
  for (const pending of subjects.values()) {
    const { opened, calibration } = await pending;
    await calibration.close();
    await opened.close();
  }
});

export const contextOf = ({ opened: { model }, calibration }: Subject): PassContext => ({
  model,
  format: model.format,
  calibration: async () => calibration,
});
