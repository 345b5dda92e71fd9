import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon } from '../../icons.tsx';
import { t } from '../../l10n.ts';

export interface Command {
  readonly title: string;
  readonly run: () => void;
}

/** The commands that have no room of their own. */
export function MoreMenu({ commands, class: extra }: { commands: readonly Command[]; class?: string }) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLSpanElement>(null);
  const items = (): HTMLElement[] => [...(root.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])];
  useLayoutEffect(() => {
    if (!open) return;
    items()[0]?.focus();
    const onDown = (event: Event): void => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    window.addEventListener('pointerdown', onDown);
    return () => window.removeEventListener('pointerdown', onDown);
  }, [open]);
  const close = (): void => {
    setOpen(false);
    root.current?.querySelector('button')?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!open) return;
    const all = items();
    const at = all.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === 'Tab') setOpen(false);
    if (event.key !== 'Escape' && to === undefined) return;
    event.preventDefault();
    if (to === undefined) close();
    else all[to % all.length]?.focus();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys bubble here from the menu's own items
    <span class={`more ${extra ?? ''}`} ref={root} onKeyDown={onKeyDown}>
      <button
        type="button"
        class="ib"
        aria-label={t('More commands')}
        title={t('More commands')}
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <Icon name="more" />
      </button>
      {open && (
        <div class="menu" role="menu" aria-label={t('More commands')}>
          {commands.map(({ title, run }) => (
            <button
              key={title}
              type="button"
              role="menuitem"
              tabIndex={-1}
              onClick={() => {
                close();
                run();
              }}
            >
              {title}
            </button>
          ))}
        </div>
      )}
    </span>
  );
}
