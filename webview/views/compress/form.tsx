import type { Failure, PassInfo } from '../../../src/protocol/messages.ts';
import { say, t } from '../../l10n.ts';
import { type DraftStep, type FieldValue, optionOf, shownFields } from './draft.ts';
import { FieldRow } from './fields.tsx';

interface FormProps {
  readonly pass: PassInfo | undefined;
  readonly step: DraftStep;
  readonly index: number;
  readonly of: number;
  /** The option that stands in the way, and why. */
  readonly wrong?: { readonly option: string; readonly failure: Failure };
  readonly onChange: (name: string, value: FieldValue) => void;
  readonly onInvalid: (name: string, invalid: boolean) => void;
}

/** The options of one step, drawn from the pass's own declarations. */
export function Form({ pass, step, index, of, wrong, onChange, onInvalid }: FormProps) {
  if (!pass)
    return (
      <p class="muted">{t('This version does not know the pass “{pass}”. Remove the step to go on.', { pass: step.pass })}</p>
    );
  const fields = shownFields(pass, step);
  const row = ([name, field]: (typeof fields)[number]) => (
    <FieldRow
      key={`${step.key} ${name}`}
      id={`option-${name}`}
      field={field}
      value={optionOf(step, name, field)}
      failure={wrong?.option === name ? wrong.failure : undefined}
      onChange={value => onChange(name, value)}
      onInvalid={invalid => onInvalid(name, invalid)}
    />
  );
  const where = fields.filter(([, field]) => field.kind === 'globs');
  return (
    <>
      <div class="row">
        <h2 class="title">{say(pass.title)}</h2>
        {of > 1 && <span class="chip out">{t('step {n} of {m}', { n: index + 1, m: of })}</span>}
      </div>
      <p class="muted lead">{say(pass.summary)}</p>
      <p class="muted small lead">{t('Source: {source}', { source: pass.source })}</p>
      {fields.filter(([, field]) => field.kind !== 'globs').map(row)}
      {where.length > 0 && (
        <details open>
          <summary>{t('Where')}</summary>
          {where.map(row)}
        </details>
      )}
    </>
  );
}
