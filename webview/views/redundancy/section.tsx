import type { ComponentChildren } from 'preact';
import { t } from '../../l10n.ts';
import { Menu } from '../menu.tsx';

export interface Copies {
  readonly tsv: () => string;
  readonly markdown: () => string;
}

/** A titled part of the page; `copies` is its table as text. */
export function Section({
  id,
  title,
  note,
  copies,
  onCopy,
  children,
}: {
  id: string;
  title: string;
  note?: string | undefined;
  copies?: Copies | undefined;
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
        {copies && (
          <Menu
            label={t('Copy “{title}”', { title })}
            items={[
              { title: t('Copy table'), run: () => onCopy(copies.tsv()) },
              { title: t('Copy table as Markdown'), run: () => onCopy(copies.markdown()) },
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
