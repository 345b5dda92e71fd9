import { useEffect, useState } from 'preact/hooks';
import type { EditorHostApi, Scores } from '../../../../src/protocol/messages.ts';
import type { Remote } from '../../../../src/protocol/rpc.ts';
import { type Reading, type Readings, useReading } from '../inside/reading.ts';

export type ScoredPass = Scores['pass'];

/** What tells one unit's worth from another's, by pass; the first needs no text. */
export const scoredBy: Readonly<Record<ScoredPass, readonly string[]>> = {
  'prune-heads': ['magnitude', 'activation', 'gradient', 'reconstruction'],
  'prune-neurons': ['magnitude', 'activation', 'reconstruction'],
  'prune-layers': ['position', 'influence', 'agreement'],
};

export const needsText = (by: string): boolean => by !== 'magnitude' && by !== 'position';

export interface Scoring {
  readonly pass: ScoredPass;
  readonly by: string;
  readonly onBy: (by: string) => void;
  /** Path of the text; '' for the sentences that come with Headroom. */
  readonly text: string;
  readonly onText: (text: string) => void;
  readonly onChooseText: () => void;
  readonly scores: Scores | undefined;
  /** Of scores that need no text; of those on text, with the loss. */
  readonly plain: Work;
  readonly onRun: Work;
  /** The file is gone. */
  readonly disabled: boolean;
}

export interface Work {
  readonly reading: Reading<Scores>;
  readonly start: () => void;
  readonly cancel: () => void;
}

export interface ScoringOptions {
  readonly pass: ScoredPass;
  readonly api: Remote<EditorHostApi>;
  readonly readings: Readings;
  readonly by: string;
  readonly onBy: (by: string) => void;
  /** Nothing is read before scores are wanted. */
  readonly wanted: boolean;
  readonly disabled: boolean;
}

/** The scores of one pass: at once where they need no text, and when they are asked for on a text. */
export function useScoring({ pass, api, readings, by: kept, onBy, wanted, disabled }: ScoringOptions): Scoring {
  const by = scoredBy[pass].includes(kept) ? kept : scoredBy[pass][0]!;
  const [text, setText] = useState('');
  const runs = wanted && !disabled;
  useEffect(() => {
    if (runs) api.scoreText().then(setText, () => undefined);
  }, [api, runs]);
  const plain = useReading<Scores>({
    key: runs && !needsText(by) ? `scores ${pass} ${by}` : null,
    read: options => api.scores({ pass, by, text: null }, options),
    readings,
    automatic: true,
  });
  const onRun = useReading<Scores>({
    key: runs ? `scores ${pass} ${by} ${text}` : null,
    read: options => api.scores({ pass, by, text }, options),
    readings,
    automatic: false,
    delay: 0,
  });
  const done = [onRun.reading, plain.reading].find(reading => reading.state === 'done');
  return {
    pass,
    by,
    onBy,
    text,
    onText: setText,
    onChooseText: () => void api.chooseScoreText(text).then(chosen => chosen !== null && setText(chosen)),
    scores: done?.state === 'done' ? done.value : undefined,
    plain,
    onRun,
    disabled,
  };
}

/** What was scored on, for the form: null where the model was not run. */
export const scoredOn = ({ scores, text }: Scoring): string | null => (scores && scores.texts > 0 ? text : null);
