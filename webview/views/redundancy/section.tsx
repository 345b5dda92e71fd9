import type { ComponentChildren } from 'preact';
import { t } from '../../l10n.ts';
import { markdownOf, type TextColumn, tsvOf } from '../../layout/flat-table.ts';
import { Menu } from '../menu.tsx';

interface Table<Row> {
  readonly columns: readonly TextColumn<Row>[];
  readonly rows: readonly Row[];
}

/** A titled part of the page; `table` can be copied as text. */
export function Section<Row>({
  id,
  title,
  note,
  table,
  onCopy,
  children,
}: {
  id: string;
  title: string;
  note?: string | undefined;
  table?: Table<Row> | undefined;
  onCopy: (text: string) => void;
  children: ComponentChildren;
}) {
  return (
    <section class="pane" id={id} aria-labelledby={`${id}-title`}>
      <div class="row title">
        <h2 id={`${id}-title`} tabIndex={-1}>
          {title}
        </h2>
        {note && <span class="muted small note clip">{note}</span>}
        <span class="grow" />
        {table && (
          <Menu
            label={t('Copy “{title}”', { title })}
            items={[
              { title: t('Copy table'), run: () => onCopy(tsvOf(table.columns, table.rows)) },
              { title: t('Copy table as Markdown'), run: () => onCopy(markdownOf(table.columns, table.rows)) },
            ]}
          />
        )}
      </div>
      {children}
    </section>
  );
}

/** Goes to a section: those who cannot see it are brought to its title. */
export function goTo(id: string): void {
  document.getElementById(id)?.scrollIntoView({ block: 'start' });
  document.getElementById(`${id}-title`)?.focus({ preventScroll: true });
}
