// biome-ignore-all lint/a11y/noStaticElementInteractions: a toolbar takes the keys of its buttons
import type { ComponentChildren, RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Button, Segments, TextField } from '../../controls.tsx';
import { Icon } from '../../icons.tsx';
import { t } from '../../l10n.ts';
import type { Measure } from '../../layout/model-index.ts';
import { count } from '../../numbers.ts';
import { Menu, type MenuItem } from '../menu.tsx';

export interface ToolbarProps {
  readonly width: number;
  /** Nothing can be done with the file: it is still being opened, or gone. */
  readonly disabled: boolean;
  readonly measure: Measure;
  readonly onMeasure: (measure: Measure) => void;
  readonly filter: string;
  readonly onFilter: (filter: string) => void;
  readonly onLeaveFilter: () => void;
  /** Tensors that match, of all. */
  readonly matches: number | undefined;
  readonly tensors: number | undefined;
  readonly onExpandAll: () => void;
  readonly onCollapseAll: () => void;
  readonly onQuantize: () => void;
  readonly onCompress: () => void;
  readonly onCompare: () => void;
  readonly onRedundancy: () => void;
  readonly onSensitivity: () => void;
  readonly onCopyTable: (kind: 'tsv' | 'markdown') => void;
  readonly filterField?: RefObject<HTMLElement | null>;
}

export function Toolbar(props: ToolbarProps) {
  const { width, disabled } = props;
  const still = props.tensors === undefined;
  const expanding: MenuItem[] = [
    { title: t('Expand all'), disabled: still, run: props.onExpandAll },
    { title: t('Collapse all'), disabled: still, run: props.onCollapseAll },
  ];
  const compare: MenuItem = { title: t('Compare…'), disabled, run: props.onCompare };
  const menu: MenuItem[] = [];
  if (width < 560)
    menu.push(
      { title: t('Quantize to int8'), disabled, run: props.onQuantize },
      { title: t('Compress…'), disabled, run: props.onCompress },
    );
  if (width < 960) menu.push(compare);
  if (width < 1120) menu.push({ title: t('Redundancy…'), disabled, run: props.onRedundancy });
  menu.push({ title: t('What does each layer cost?'), disabled, run: props.onSensitivity });
  if (width < 660) menu.push(...expanding);
  menu.push(
    { title: t('Copy table'), disabled: still, run: () => props.onCopyTable('tsv') },
    { title: t('Copy table as Markdown'), disabled: still, run: () => props.onCopyTable('markdown') },
  );
  return (
    <div class="toolbar">
      <Segments
        label={t('Measure')}
        value={props.measure}
        choices={[
          { value: 'parameters', label: t('Parameters') },
          { value: 'byteLength', label: t('Bytes') },
        ]}
        onChange={value => props.onMeasure(value as Measure)}
      />
      <Filter {...props} />
      <Commands>
        {width >= 660 && (
          <>
            <Button kind="icon" label={t('Expand all')} title={t('Expand all')} disabled={still} onClick={props.onExpandAll}>
              <Icon name="expand" />
            </Button>
            <Button
              kind="icon"
              label={t('Collapse all')}
              title={t('Collapse all')}
              disabled={still}
              onClick={props.onCollapseAll}
            >
              <Icon name="collapse" />
            </Button>
          </>
        )}
        <span class="sep" />
        {width >= 560 && (
          <>
            <Button kind="primary" disabled={disabled} onClick={props.onQuantize}>
              {t('Quantize to int8')}
            </Button>
            <Button disabled={disabled} onClick={props.onCompress}>
              {t('Compress…')}
            </Button>
          </>
        )}
        {width >= 960 && (
          <Button disabled={disabled} onClick={props.onCompare}>
            {t('Compare…')}
          </Button>
        )}
        {width >= 1120 && (
          <Button disabled={disabled} onClick={props.onRedundancy}>
            {t('Redundancy…')}
          </Button>
        )}
        <Menu label={t('More')} items={menu} />
      </Commands>
    </div>
  );
}

const kinds = ':is(vscode-button, .ib)';

/** The buttons, one tab stop for all: left and right go along them. */
function Commands({ children }: { children: ComponentChildren }) {
  const root = useRef<HTMLDivElement>(null);
  const buttons = (): HTMLElement[] => [...(root.current?.querySelectorAll<HTMLElement>(`${kinds}:not([disabled])`) ?? [])];
  const rove = (to: HTMLElement | undefined): void => {
    for (const button of root.current?.querySelectorAll(kinds) ?? []) button.setAttribute('tabindex', button === to ? '0' : '-1');
  };
  useLayoutEffect(() => {
    const all = buttons();
    rove(all.find(button => button.tabIndex === 0 && button.hasAttribute('tabindex')) ?? all[0]);
  });
  return (
    <div
      ref={root}
      class="commands"
      role="toolbar"
      aria-label={t('Commands')}
      tabIndex={-1}
      onFocusIn={event => rove((event.target as HTMLElement).closest<HTMLElement>(kinds) ?? undefined)}
      onKeyDown={event => {
        const all = buttons();
        const at = all.indexOf((event.target as HTMLElement).closest<HTMLElement>(kinds)!);
        const to = { ArrowRight: at + 1, ArrowLeft: at - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
        if (at < 0 || to === undefined) return;
        event.preventDefault();
        all[to % all.length]!.focus();
      }}
    >
      {children}
    </div>
  );
}

function Filter({ filter, onFilter, onLeaveFilter, matches, tensors, filterField }: ToolbarProps) {
  const found = tensors === undefined ? '' : filter.trim() ? t('{n} of {m}', { n: matches ?? 0, m: tensors }) : count(tensors);
  return (
    <TextField
      class="search"
      label={t('Filter tensors')}
      placeholder={t('Filter')}
      value={filter}
      element={filterField}
      disabled={tensors === undefined}
      onInput={onFilter}
      onKeyDown={event => {
        if (event.key !== 'Escape' && event.key !== 'ArrowDown') return;
        event.preventDefault();
        if (event.key === 'Escape' && filter) onFilter('');
        else onLeaveFilter();
      }}
    >
      <Icon slot="start" name="search" />
      <span slot="end">{found}</span>
    </TextField>
  );
}
