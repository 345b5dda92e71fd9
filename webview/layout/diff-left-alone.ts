import type { Sentence } from '../../src/core/errors.ts';

export interface LeftAlone {
  readonly reason: Sentence;
  readonly targets: readonly string[];
}

/** What was left alone, by reason; the reason with the most targets first. */
export function leftAlone(skipped: readonly { readonly target: string; readonly sentence: Sentence }[]): readonly LeftAlone[] {
  const groups = new Map<string, { reason: Sentence; targets: string[] }>();
  for (const { target, sentence } of skipped) {
    const key = JSON.stringify([sentence.text, sentence.args]);
    const group = groups.get(key);
    if (group) group.targets.push(target);
    else groups.set(key, { reason: sentence, targets: [target] });
  }
  return [...groups.values()].sort((a, b) => b.targets.length - a.targets.length);
}
