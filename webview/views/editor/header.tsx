import type { ComponentChildren } from 'preact';
import { t } from '../../l10n.ts';
import { visibleName } from '../../layout/names.ts';
import { bytes, count, exactBytes } from '../../numbers.ts';
import { Name } from '../name.tsx';

export interface HeaderProps {
  readonly name: string;
  readonly description?: string;
  readonly children?: ComponentChildren;
}

/** The line at the top: the file's name, what it is, its totals. */
export function Header({ name, description, children }: HeaderProps) {
  return (
    <header class="hdr">
      <h1 class="clip" title={visibleName(name)}>
        <Name>{name}</Name>
      </h1>
      {description && (
        <span class="what clip" title={description}>
          {description}
        </span>
      )}
      <span class="tot">{children}</span>
    </header>
  );
}

export function Totals({ parameters, byteLength, dtypes }: { parameters: number; byteLength: number; dtypes?: string }) {
  const { value, unit } = bytes(byteLength);
  return (
    <>
      <span>
        <b>{count(parameters)}</b> <span class="muted">{t('parameters')}</span>
      </span>
      <span title={exactBytes(byteLength)}>
        <b>{value}</b> <span class="muted">{unit}</span>
      </span>
      {dtypes && (
        <span class="only-mid">
          <b>{dtypes}</b>
        </span>
      )}
    </>
  );
}
