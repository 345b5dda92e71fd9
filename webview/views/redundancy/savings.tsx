import type { Saving } from '../../../src/protocol/messages.ts';
import { say, t } from '../../l10n.ts';
import { bytesText, changeBytes, changeShare, exactBytes, text } from '../../numbers.ts';
import { type DataColumn, DataTable } from './data-table.tsx';
import { Section } from './section.tsx';
import { optionsText } from './words.ts';

interface Props {
  readonly savings: readonly Saving[];
  readonly fileBytes: number;
  readonly onTry: (pass: string, options: Readonly<Record<string, unknown>>) => void;
  readonly onCopy: (text: string) => void;
}

/** What each command would save: exact bytes, and the command a click away. */
export function Savings({ savings, fileBytes, onTry, onCopy }: Props) {
  const columns = columnsOf(fileBytes, onTry);
  return (
    <Section
      id="savings"
      title={t('What would it save')}
      note={t('exact, from a dry run')}
      table={{ columns, rows: savings }}
      onCopy={onCopy}
    >
      {savings.length === 0 ? (
        <p class="muted">{t('No command applies to this model.')}</p>
      ) : (
        <DataTable
          id="savings"
          label={t('What would it save')}
          rows={savings}
          columns={columns}
          rowKey={({ pass, options }) => pass + JSON.stringify(options)}
          rowClass={({ fileBytes: after }) => (after === undefined ? 'off' : '')}
          onOpen={({ pass, options, fileBytes: after }) => after !== undefined && onTry(pass, options)}
          onCopy={onCopy}
        />
      )}
    </Section>
  );
}

const columnsOf = (before: number, onTry: Props['onTry']): DataColumn<Saving>[] => [
  {
    ...{ key: 'command', title: t('Command') },
    value: ({ title }) => say(title),
    text: ({ title }) => say(title),
    // Narrow pages have no column of options.
    cell: ({ title, options, reason }) => (
      <>
        {say(title)} <span class="narrow muted small">{optionsText(options)}</span>
        {reason && <span class="narrow why muted small">{say(reason)}</span>}
      </>
    ),
  },
  {
    ...{ key: 'options', title: t('Options'), class: 'options', from: 560 },
    value: ({ options }) => optionsText(options),
    text: ({ options, reason }) => [optionsText(options), reason && say(reason)].filter(Boolean).join(': '),
    cell: ({ options, reason }) => (
      <>
        <span class="muted">{optionsText(options)}</span>
        {reason && <span class="why muted small">{say(reason)}</span>}
      </>
    ),
  },
  {
    ...{ key: 'saves', title: t('Saves'), numeric: true, from: 640 },
    value: ({ savedBytes }) => savedBytes,
    text: ({ savedBytes }) => (savedBytes === undefined ? '' : String(savedBytes)),
    cell: ({ savedBytes }) => (savedBytes === undefined ? '–' : text(changeBytes(-savedBytes))),
    tip: ({ savedBytes }) => (savedBytes === undefined ? undefined : exactBytes(savedBytes)),
  },
  {
    ...{ key: 'after', title: t('After'), numeric: true },
    value: ({ fileBytes }) => fileBytes,
    text: ({ fileBytes }) => (fileBytes === undefined ? '' : String(fileBytes)),
    cell: ({ fileBytes }) => (fileBytes === undefined ? '–' : bytesText(fileBytes)),
    tip: ({ fileBytes }) => (fileBytes === undefined ? undefined : exactBytes(fileBytes)),
  },
  {
    ...{ key: 'change', title: t('Change'), short: '%', numeric: true },
    value: ({ savedBytes }) => savedBytes,
    text: ({ fileBytes }) => (fileBytes === undefined ? '' : changeShare(before, fileBytes)),
    cell: ({ fileBytes }) => (fileBytes === undefined ? '–' : changeShare(before, fileBytes)),
  },
  {
    ...{ key: 'bar', title: t('Before, after'), class: 'bars', from: 960 },
    value: ({ fileBytes }) => fileBytes,
    cell: ({ fileBytes }) =>
      fileBytes === undefined ? null : (
        <span class="bar ba c-attention" aria-hidden="true">
          <i class="b" style={{ width: `${(100 * before) / Math.max(before, fileBytes)}%` }} />
          <i class="a" style={{ width: `${(100 * fileBytes) / Math.max(before, fileBytes)}%` }} />
        </span>
      ),
  },
  {
    ...{ key: 'try', title: t('Try') },
    value: ({ fileBytes }) => (fileBytes === undefined ? 1 : 0),
    cell: ({ pass, options, fileBytes, title }) =>
      fileBytes === undefined ? null : (
        <button
          type="button"
          class="btn sm"
          tabIndex={-1}
          aria-label={`${t('Compress…')} ${say(title)} ${optionsText(options)}`}
          onClick={event => {
            event.stopPropagation();
            onTry(pass, options);
          }}
        >
          {t('Compress…')}
        </button>
      ),
  },
];
