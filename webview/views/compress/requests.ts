import { useEffect, useRef, useState } from 'preact/hooks';
import type { DryRun, Failure, Recipe } from '../../../src/protocol/messages.ts';
import { HostError } from '../../bridge.ts';

/** A form is typed into; requests closer together than this are one. */
const settleMs = 40;
/** An answer that takes longer lets the old numbers stand, greyed. */
const patienceMs = 200;

export interface DryRunState {
  readonly answer: DryRun | null;
  /** The answer is for an earlier recipe, and the newer one takes long. */
  readonly stale: boolean;
}

type Format = 'onnx' | 'safetensors';

/** Asks again whenever the recipe, the output, its format or the calibration text changes. Only the latest request counts, whatever order the answers come in. */
export function useDryRun(
  ask: (recipe: Recipe, out: string, format: Format, calibration: string) => Promise<DryRun>,
  recipe: Recipe,
  out: string,
  format: Format,
  calibration: string,
  active: boolean,
): DryRunState {
  const [state, setState] = useState<DryRunState>({ answer: null, stale: false });
  const latest = useRef(0);
  const answered = useRef('');
  const question = JSON.stringify([recipe, out, format, calibration]);
  useEffect(() => {
    if (!active) return;
    if (question === answered.current) {
      latest.current++;
      setState(known => ({ ...known, stale: false }));
      return;
    }
    const mine = ++latest.current;
    const isLatest = () => mine === latest.current;
    const patience = setTimeout(() => isLatest() && setState(known => ({ ...known, stale: true })), settleMs + patienceMs);
    const settle = setTimeout(async () => {
      const answer = await ask(recipe, out, format, calibration).catch(
        (error): DryRun => ({ report: null, failure: failureOf(error), steps: [] }),
      );
      if (!isLatest()) return;
      clearTimeout(patience);
      answered.current = question;
      setState({ answer, stale: false });
    }, settleMs);
    return () => {
      clearTimeout(settle);
      clearTimeout(patience);
    };
  }, [question, active]);
  return state;
}

export function failureOf(error: unknown): Failure {
  if (error instanceof HostError) return error.failure;
  return { code: 'io', message: String(error), sentence: { text: '{what}', args: { what: String(error) } } };
}
