import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { PassInfo } from '../../../src/protocol/messages.ts';
import { Button } from '../../controls.tsx';
import { Icon } from '../../icons.tsx';
import { t } from '../../l10n.ts';
import { addStep, type Draft, moveStep, removeStep } from './draft.ts';
import { PassList } from './pass-list.tsx';
import { StepList } from './steps.tsx';

interface RecipePaneProps {
  readonly draft: Draft;
  readonly passes: readonly PassInfo[];
  readonly running: boolean;
  readonly onChange: (draft: Draft) => void;
  /** F2: to the options. */
  readonly onEdit: () => void;
}

/** The steps there are, and those that can be added. Focus follows a step that moved, and goes to a neighbour when one is gone. */
export function RecipePane({ draft, passes, running, onChange, onEdit }: RecipePaneProps) {
  const [adding, setAdding] = useState(false);
  const focus = useRef<number | undefined>(undefined);
  useLayoutEffect(() => {
    if (focus.current !== undefined) document.querySelector<HTMLElement>(`.pick[data-key="${focus.current}"]`)?.focus();
    focus.current = undefined;
  }, [draft]);
  const change = (next: Draft, key?: number): void => {
    focus.current = key;
    onChange(next);
  };
  return (
    <nav class="steps scroll" aria-label={t('Recipe')}>
      <h2>{t('Recipe')}</h2>
      <StepList
        draft={draft}
        passes={passes}
        running={running}
        onSelect={index => change({ ...draft, selected: index })}
        onRemove={index => {
          const next = removeStep(draft, index);
          change(next, next.steps[Math.min(index, next.steps.length - 1)]?.key);
        }}
        onMove={(index, by) => change(moveStep(draft, index, by), draft.steps[index]!.key)}
        onEdit={onEdit}
      />
      <div class="only-narrow addbutton">
        <Button disabled={running} expanded={adding} onClick={() => setAdding(!adding)}>
          <Icon name="plus" />
          {t('Add a step')}
        </Button>
      </div>
      <section class={adding ? 'add open' : 'add'} aria-label={t('Add a step')}>
        <h2>{t('Add a step')}</h2>
        <PassList
          passes={passes}
          disabled={running}
          onAdd={id => {
            setAdding(false);
            change(addStep(draft, id));
          }}
        />
      </section>
    </nav>
  );
}
