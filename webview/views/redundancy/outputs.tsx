import { useEffect, useState } from 'preact/hooks';
import type { Failure, OutputSpectrum, ProgressEvent } from '../../../src/protocol/messages.ts';
import { HostError } from '../../bridge.ts';
import { Checkbox } from '../../controls.tsx';
import { say, t } from '../../l10n.ts';
import { count, share } from '../../numbers.ts';
import { Wrong } from '../wrong.tsx';

/** Runs the model on text as far as a matrix. */
export type AskOutputs = (
  id: string,
  following: { readonly signal: AbortSignal; readonly progress: (event: ProgressEvent) => void },
) => Promise<OutputSpectrum>;

export type Outputs =
  | { readonly state: 'off' }
  | { readonly state: 'running'; readonly fraction: number }
  | { readonly state: 'done'; readonly outputs: OutputSpectrum }
  | { readonly state: 'failed'; readonly failure: Failure };

/** What the ranks of a matrix lose of its outputs, asked for while it is wanted; what is no longer wanted is cancelled. */
export function useOutputs(id: string, wanted: boolean, ask: AskOutputs): Outputs {
  const [outputs, set] = useState<Outputs>({ state: 'off' });
  useEffect(() => {
    if (!wanted) {
      set({ state: 'off' });
      return;
    }
    const cancelling = new AbortController();
    const show = (next: Outputs): void => {
      if (!cancelling.signal.aborted) set(next);
    };
    show({ state: 'running', fraction: 0 });
    ask(id, { signal: cancelling.signal, progress: ({ fraction = 0 }) => show({ state: 'running', fraction }) }).then(
      found => show({ state: 'done', outputs: found }),
      error => show({ state: 'failed', failure: failureOf(error) }),
    );
    return () => cancelling.abort();
  }, [id, wanted]);
  return outputs;
}

const failureOf = (error: unknown): Failure =>
  error instanceof HostError
    ? error.failure
    : { code: 'io', message: String(error), sentence: { text: '{what}', args: { what: String(error) } } };

interface SwitchProps {
  readonly wanted: boolean;
  readonly outputs: Outputs;
  readonly onChange: (wanted: boolean) => void;
}

/** Turns the second curve on, and says what it is made of. */
export function OutputsSwitch({ wanted, outputs, onChange }: SwitchProps) {
  return (
    <div class="row outputs">
      <Checkbox checked={wanted} onChange={onChange}>
        {t('Output error on text')}
      </Checkbox>
      <span class="muted small" role="status">
        {outputs.state === 'running' && t('Running the model… {share}', { share: share(outputs.fraction, 0) })}
        {outputs.state === 'done' && saidOf(outputs.outputs)}
      </span>
      {outputs.state === 'failed' && (
        <Wrong>
          {say(outputs.failure.sentence)}
          {outputs.failure.hint && ` ${say(outputs.failure.hint)}`}
        </Wrong>
      )}
    </div>
  );
}

/** Fewer tokens than ranks span less than the matrix can give: the error then falls to zero too soon. */
function saidOf({ texts, tokens, errors, notes }: OutputSpectrum): string {
  const counts = { texts: count(texts), tokens: count(tokens) };
  const said =
    tokens > 2 * errors.length
      ? t('{texts} sentences, {tokens} tokens', counts)
      : t('{texts} sentences, {tokens} tokens: too few for the higher ranks', counts);
  return [said, ...notes.map(say)].join('. ');
}
