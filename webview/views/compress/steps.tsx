import type { TargetedKeyboardEvent } from 'preact';
import type { PassInfo } from '../../../src/protocol/messages.ts';
import { Icon } from '../../icons.tsx';
import { say, t } from '../../l10n.ts';
import { type Draft, type DraftStep, isDefault, optionOf, shownFields } from './draft.ts';
import { choiceWord, valueWord } from './words.ts';

interface StepListProps {
  readonly draft: Draft;
  readonly passes: readonly PassInfo[];
  readonly running: boolean;
  readonly onSelect: (index: number) => void;
  readonly onRemove: (index: number) => void;
  readonly onMove: (index: number, by: -1 | 1) => void;
  /** F2: to the options. */
  readonly onEdit: () => void;
}

/** The recipe's steps. Alt+arrows move one, Delete removes it, F2 goes to its options. */
export function StepList(props: StepListProps) {
  const { draft, passes, running } = props;
  if (draft.steps.length === 0) return <p class="none muted">{t('No steps yet. Add one below.')}</p>;
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLElement>, index: number): void => {
    const by = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : 0;
    const list = event.currentTarget.closest('ol');
    const act = (): void => {
      if (by !== 0 && !event.altKey) (list?.children[index + by]?.querySelector('.pick') as HTMLElement | null)?.focus();
      else if (event.key === 'F2') props.onEdit();
      else if (running) return;
      else if (by !== 0) props.onMove(index, by);
      else props.onRemove(index);
    };
    if (by === 0 && event.key !== 'Delete' && event.key !== 'F2') return;
    event.preventDefault();
    act();
  };
  return (
    <ol class="steplist">
      {draft.steps.map((step, index) => {
        const pass = passes.find(({ id }) => id === step.pass);
        const title = pass ? say(pass.title) : step.pass;
        const last = index === draft.steps.length - 1;
        return (
          <li key={step.key} class={index === draft.selected ? 'step on' : 'step'}>
            <button
              type="button"
              class="pick"
              data-key={step.key}
              aria-current={index === draft.selected ? 'step' : undefined}
              aria-keyshortcuts="Alt+ArrowUp Alt+ArrowDown Delete F2"
              onClick={() => props.onSelect(index)}
              onKeyDown={event => onKeyDown(event, index)}
            >
              <Icon name={running ? 'circle' : 'grip'} />
              <span class="n">{index + 1}</span>
              <span class="clip">{title}</span>
              <span class="small muted clip">{pass ? summaryOf(step, pass) : t('This version does not know this pass.')}</span>
            </button>
            {!running && (
              <span class="mv">
                {(index > 0 || !last) && (
                  <button
                    type="button"
                    class="ib"
                    aria-label={last ? t('Move {step} up', { step: title }) : t('Move {step} down', { step: title })}
                    title={last ? t('Move up (Alt+Up)') : t('Move down (Alt+Down)')}
                    onClick={() => props.onMove(index, last ? -1 : 1)}
                  >
                    <Icon name={last ? 'up' : 'down'} />
                  </button>
                )}
                <button
                  type="button"
                  class="ib"
                  aria-label={t('Remove {step}', { step: title })}
                  title={t('Remove step (Delete)')}
                  onClick={() => props.onRemove(index)}
                >
                  <Icon name="close" />
                </button>
              </span>
            )}
          </li>
        );
      })}
    </ol>
  );
}

/** "int8, Embedding bits 4": the choice that comes first, and whatever differs from its default. */
function summaryOf(step: DraftStep, pass: PassInfo): string {
  const parts = shownFields(pass, step).map(([name, field], index) => {
    const value = optionOf(step, name, field);
    if (index === 0 && field.kind === 'choice') return choiceWord(String(value));
    return isDefault(field, value) ? '' : `${say(field.label)} ${valueWord(value)}`;
  });
  return parts.filter(Boolean).join(', ') || say(pass.summary);
}
