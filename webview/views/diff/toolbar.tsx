import type { RefObject } from 'preact';
import type { Change } from '../../../src/core/report/comparison.ts';
import { Checkbox, Dropdown, TextField } from '../../controls.tsx';
import { Icon } from '../../icons.tsx';
import { t } from '../../l10n.ts';
import { changes as allChanges } from '../../layout/diff-digest.ts';
import type { Sort } from '../../layout/diff-order.ts';
import { countWord } from './words.ts';

interface ToolbarProps {
  readonly counts: Readonly<Record<Change, number>>;
  readonly changes: ReadonlySet<Change>;
  readonly filter: string;
  /** "12 of 104", while something is filtered. */
  readonly found: string;
  readonly sort: Sort | null;
  readonly onChanges: (changes: readonly Change[]) => void;
  readonly onFilter: (filter: string) => void;
  readonly onSort: (sort: Sort | null) => void;
  readonly filterField: RefObject<HTMLElement | null>;
  /** Esc in an empty filter: to the table. */
  readonly onLeave: () => void;
}

const different: readonly Change[] = ['changed', 'added', 'removed', 'replaced'];

/** What of the table is shown, and in which order. */
export function Toolbar(props: ToolbarProps) {
  const { counts, changes } = props;
  const onlyChanged = changes.size === different.length && !changes.has('same');
  const toggle = (change: Change): void => {
    const next = new Set(changes);
    if (!next.delete(change)) next.add(change);
    props.onChanges([...next]);
  };
  return (
    <div class="toolbar" role="toolbar" aria-label={t('Rows')}>
      <Checkbox class="nowrap" checked={onlyChanged} onChange={checked => props.onChanges(checked ? different : [])}>
        {t('Only changed')}
      </Checkbox>
      <span class="row chips only-wide">
        {allChanges
          .filter(change => counts[change] > 0)
          .map(change => (
            <button key={change} type="button" class="chip" aria-pressed={changes.has(change)} onClick={() => toggle(change)}>
              {countWord(change, counts[change])}
            </button>
          ))}
      </span>
      <TextField
        class="find"
        label={t('Filter tensors')}
        placeholder={t('Filter')}
        value={props.filter}
        element={props.filterField as RefObject<HTMLElement>}
        onInput={props.onFilter}
        onKeyDown={event => {
          if (event.key !== 'Escape') return;
          if (props.filter) props.onFilter('');
          else props.onLeave();
        }}
      >
        <Icon slot="start" name="search" />
        <span slot="end" class="count">
          {props.found}
        </span>
      </TextField>
      <span class="sep only-mid" />
      <SortChoice sort={props.sort} onSort={props.onSort} />
    </div>
  );
}

/** The orders worth a name; a column's head gives every other. */
function SortChoice({ sort, onSort }: Pick<ToolbarProps, 'sort' | 'onSort'>) {
  const named: Record<string, Sort | null> = {
    model: null,
    change: { key: 'difference', direction: 'ascending' },
    error: { key: 'error', direction: 'descending' },
  };
  const current = Object.entries(named).find(
    ([, known]) => known?.key === sort?.key && known?.direction === sort?.direction,
  )?.[0];
  const choices = [
    { value: 'model', label: t('Model order') },
    { value: 'change', label: t('Largest change') },
    { value: 'error', label: t('Largest error') },
    ...(current ? [] : [{ value: 'column', label: t('By column') }]),
  ];
  return (
    <span class="row only-mid order">
      <span class="muted only-wide">{t('Sort')}</span>
      <Dropdown
        class="sortby"
        label={t('Sort')}
        value={current ?? 'column'}
        choices={choices}
        onChange={value => {
          const chosen = named[value];
          if (chosen !== undefined) onSort(chosen);
        }}
      />
    </span>
  );
}
