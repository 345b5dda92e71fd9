import { useEffect, useRef, useState } from 'preact/hooks';
import type { DryRun, Step } from '../../src/protocol/messages.ts';

/** A slider is dragged; questions closer together than this are one. */
const settleMs = 120;

export interface Trial {
  readonly answer: DryRun | null;
  /** The answer belongs to an older question, and stays until the newest is there. */
  readonly stale: boolean;
}

/** The sizes after one step, asked anew whenever it changes; null asks nothing. */
export function useTrial(step: Step | null, tryStep: (step: Step) => Promise<DryRun>): Trial {
  const [trial, setTrial] = useState<{ question: string; answer: DryRun } | null>(null);
  const question = step ? JSON.stringify(step) : '';
  const latest = useRef(question);
  latest.current = question;
  useEffect(() => {
    if (!step || trial?.question === question) return;
    const timer = setTimeout(async () => {
      const answer = await tryStep(step).catch(() => null);
      if (answer && latest.current === question) setTrial({ question, answer });
    }, settleMs);
    return () => clearTimeout(timer);
  }, [question]);
  return { answer: trial?.answer ?? null, stale: trial?.question !== question };
}
