import { t } from '../../l10n.ts';
import type { Tab } from './saved-state.ts';

export interface TabsProps {
  readonly tab: Tab;
  /** Whether there is a grid of heads. */
  readonly heads: boolean;
  readonly onTab: (tab: Tab) => void;
}

/** On a narrow page one view at a time. */
export function Tabs({ tab, heads, onTab }: TabsProps) {
  const tabs: { readonly id: Tab; readonly title: string }[] = [
    { id: 'tensors', title: t('Tensors') },
    ...(heads ? [{ id: 'heads' as const, title: t('Heads') }] : []),
    { id: 'details', title: t('Details') },
  ];
  const onKeyDown = (event: KeyboardEvent, index: number): void => {
    const to = { ArrowRight: index + 1, ArrowLeft: index - 1 + tabs.length, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = tabs[to % tabs.length]!;
    onTab(next.id);
    document.getElementById(`tab-${next.id}`)?.focus();
  };
  return (
    <div class="views" role="tablist" aria-label={t('Views')}>
      {tabs.map(({ id, title }, index) => (
        <button
          key={id}
          id={`tab-${id}`}
          type="button"
          role="tab"
          aria-selected={id === tab}
          aria-controls={id === tab ? `panel-${id}` : undefined}
          tabIndex={id === tab ? 0 : -1}
          onClick={() => onTab(id)}
          onKeyDown={event => onKeyDown(event, index)}
        >
          {title}
        </button>
      ))}
    </div>
  );
}
