import { useEffect, useRef, useState } from 'preact/hooks';
import type { CompressReport, CompressView } from '../../../src/protocol/messages.ts';
import { t } from '../../l10n.ts';
import { host } from './host.ts';
import { doneWord, failureWord, type Outcome } from './outcome.tsx';
import { failureOf } from './requests.ts';
import { advance, startWork, type Work } from './running.tsx';

export interface Run {
  /** What is being done; null while the form is edited. */
  readonly work: Work | null;
  readonly outcome: Outcome | null;
  /** For the live region. */
  readonly announcement: string;
  /** True once after a run, for whoever takes the focus then. */
  takesFocus(): boolean;
  start(ask: () => Promise<CompressReport>): Promise<void>;
  cancel(): void;
  /** Puts the outcome away. */
  dismiss(): void;
}

/** One run at a time: its progress by events, its end by the answer, or by the host's view when the page was reopened in mid-work. */
export function useRun(view: CompressView, title: string): Run {
  const [work, setWork] = useState<Work | null>(() => (view.running ? startWork(view.running, Date.now()) : null));
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [announcement, announce] = useState('');
  const mine = useRef(false);
  const focus = useRef(false);

  useEffect(() => host.on('progress', event => setWork(known => known && advance(known, event))), []);
  useEffect(() => {
    if (view.running && !work) setWork(startWork(view.running, Date.now()));
    if (!view.running && !mine.current) setWork(null);
  }, [view]);
  const tenth = work?.event.fraction === undefined ? 0 : Math.floor(work.event.fraction * 10);
  useEffect(() => {
    if (tenth > 0) announce(t('{what}, {n} percent', { what: title, n: tenth * 10 }));
  }, [tenth]);

  const end = (what: Outcome, said: string): void => {
    mine.current = false;
    focus.current = true;
    setOutcome(what);
    announce(said);
    setWork(null);
  };
  return {
    work,
    outcome,
    announcement,
    takesFocus: () => {
      const takes = focus.current;
      focus.current = false;
      return takes;
    },
    async start(ask) {
      mine.current = true;
      setOutcome(null);
      setWork(startWork(null, Date.now()));
      announce(t('{what}, started', { what: title }));
      try {
        const report = await ask();
        end({ kind: 'done', report }, doneWord(report));
      } catch (error) {
        const failure = failureOf(error);
        end({ kind: 'failed', failure }, failureWord(failure));
      }
    },
    cancel() {
      setWork(known => known && { ...known, cancelling: true });
      announce(t('Cancelling…'));
      void host.api.cancel();
    },
    dismiss: () => setOutcome(null),
  };
}
