import type { Sizes } from '../../../src/core/report/comparison.ts';
import type { CompressReport, PassInfo } from '../../../src/protocol/messages.ts';
import { Icon } from '../../icons.tsx';
import { say, t } from '../../l10n.ts';
import { leftAlone } from '../../layout/diff-left-alone.ts';
import { bytesText, changeShare, count, exactBytes, factor } from '../../numbers.ts';
import type { DraftStep } from './draft.ts';
import type { DryRunState } from './requests.ts';
import { placeWord } from './words.ts';

interface DryRunProps {
  readonly dryRun: DryRunState;
  readonly steps: readonly DraftStep[];
  readonly passes: readonly PassInfo[];
  /** The file before, known before any answer. */
  readonly fileBytes: number;
}

/** What the recipe would do: sizes after every step, what changes, what is left alone and why. */
export function DryRunPane({ dryRun, steps, passes, fileBytes }: DryRunProps) {
  const { answer, stale } = dryRun;
  const report = answer?.report ?? null;
  return (
    <div class={stale ? 'stale' : undefined} aria-busy={stale}>
      <section class="pane">
        <div class="row">
          <h2>{t('Dry run')}</h2>
          <span class="grow" />
          {stale && <span class="chip out">{t('updating')}</span>}
          {!stale && report && (
            <span class="chip out">
              <Icon name="check" />
              {t('exact sizes')}
            </span>
          )}
        </div>
        {answer?.failure && (
          <div class="problem" role="alert">
            <Icon name="error" />
            <p>
              {say(answer.failure.sentence)}
              {answer.failure.hint && <span class="muted"> {say(answer.failure.hint)}</span>}
            </p>
          </div>
        )}
        {report && <SizeBars report={report} sizes={answer?.steps ?? []} steps={steps} passes={passes} />}
        {!answer && (
          <p class="muted">{steps.length === 0 ? t('Add a step to see what it would do.') : t('Working out the sizes.')}</p>
        )}
        {!report && !answer?.failure && <p class="muted small">{t('Now {size}', { size: bytesText(fileBytes) })}</p>}
      </section>
      {report && <Changes report={report} />}
      {report && report.skipped.length > 0 && <LeftAlonePane skipped={report.skipped} />}
    </div>
  );
}

interface SizeBarsProps {
  readonly report: CompressReport;
  readonly sizes: readonly Sizes[];
  readonly steps: readonly DraftStep[];
  readonly passes: readonly PassInfo[];
}
function SizeBars({ report: { before, after }, sizes, steps, passes }: SizeBarsProps) {
  const scale = Math.max(before.fileBytes, ...sizes.map(size => size.fileBytes), 1);
  const title = (index: number): string => {
    const pass = passes.find(({ id }) => id === steps[index]?.pass);
    return `${index + 1} ${pass ? say(pass.title) : (steps[index]?.pass ?? '')}`;
  };
  const smaller = factor(before.fileBytes, after.fileBytes);
  const change = changeShare(before.fileBytes, after.fileBytes);
  return (
    <>
      <div class="big" title={exactBytes(after.fileBytes)}>
        {bytesText(after.fileBytes)} <span class="muted">{t('from {before}', { before: bytesText(before.fileBytes) })}</span>
      </div>
      <p class="muted">
        {[change === '0' ? t('no change') : change, smaller && t('{x} × smaller', { x: smaller })].filter(Boolean).join(' · ')}
      </p>
      <div class="wf">
        <span class="small muted clip">{t('Now')}</span>
        <span class="bar c-attention ghost" aria-hidden="true">
          <i style={{ width: `${(before.fileBytes / scale) * 100}%` }} />
        </span>
        <span class="num small" title={exactBytes(before.fileBytes)}>
          {bytesText(before.fileBytes)}
        </span>
        {sizes.map((size, index) => (
          <SizeBar key={index} title={title(index)} value={size.fileBytes} scale={scale} />
        ))}
      </div>
    </>
  );
}

function SizeBar({ title, value, scale }: { title: string; value: number; scale: number }) {
  return (
    <>
      <span class="small muted clip" title={title}>
        {title}
      </span>
      <span class="bar c-attention" aria-hidden="true">
        <i style={{ width: `${(value / scale) * 100}%` }} />
      </span>
      <span class="num small" title={exactBytes(value)}>
        {bytesText(value)}
      </span>
    </>
  );
}

function Changes({ report: { before, after, edits } }: { report: CompressReport }) {
  return (
    <section class="pane">
      <h2>{t('Changes')}</h2>
      <dl class="kv two">
        <dt>{t('Parameters')}</dt>
        <dd>
          {before.parameters === after.parameters
            ? count(after.parameters)
            : `${count(before.parameters)} → ${count(after.parameters)}`}
        </dd>
        <dt>{t('Weights')}</dt>
        <dd>{`${bytesText(before.byteLength)} → ${bytesText(after.byteLength)}`}</dd>
        {countEdits(edits).map(({ kind, types, number }) => (
          <EditCount key={kind + types} kind={kind} types={types} number={number} />
        ))}
        {edits.length === 0 && <EditCount kind="" types="" number={0} />}
        <dt>{t('Quality, speed')}</dt>
        <dd class="muted">{t('not measured yet')}</dd>
      </dl>
    </section>
  );
}

function EditCount({ kind, types, number }: { kind: string; types: string; number: number }) {
  return (
    <>
      <dt>{kindWord(kind)}</dt>
      <dd>
        {count(number)} {types && <span class="muted mono">{types}</span>}
      </dd>
    </>
  );
}

/** The kinds of edits there are; one that is not known here is shown by its id. */
function kindWord(kind: string): string {
  const words: Record<string, string> = {
    '': t('Matrices changed'),
    quantize: t('Matrices quantized'),
    'quantize-blocks': t('Matrices quantized'),
    cast: t('Matrices in another type'),
    replace: t('Matrices refitted'),
    'remove-heads': t('Heads removed'),
    'remove-neurons': t('Neurons removed'),
    'remove-layers': t('Layers removed'),
    'remove-rows': t('Vocabularies cut'),
    factor: t('Matrices factored'),
    share: t('Groups of layers shared'),
  };
  return words[kind] ?? kind;
}

type EditLine = CompressReport['edits'][number];

/** Edits by kind and by the types on both sides. `before` and `after` of matrices begin with the type: "fp32 [384, 384]". */
function countEdits(edits: readonly EditLine[]): { kind: string; types: string; number: number }[] {
  const groups = new Map<string, { kind: string; types: string; number: number }>();
  for (const edit of edits) {
    const { kind, before, after } = edit;
    const [from, to] = [before.split(' ')[0], after.split(' ')[0]];
    const types = from === '' || to === '' || from === to ? '' : `${from} → ${to}`;
    const group = groups.get(kind + types) ?? { kind, types, number: 0 };
    groups.set(kind + types, { ...group, number: group.number + amountOf(edit) });
  }
  return [...groups.values()];
}

/** How many units an edit is about: "heads 0, 3" are two, "96 neurons" are 96, and a matrix is one. */
function amountOf({ kind, before }: EditLine): number {
  if (kind === 'remove-heads' || kind === 'remove-layers') return before.split(',').length;
  if (kind === 'remove-neurons') return Number.parseInt(before, 10) || 1;
  return 1;
}

function LeftAlonePane({ skipped }: { skipped: CompressReport['skipped'] }) {
  const groups = leftAlone(skipped);
  return (
    <section class="pane">
      <h2>
        {t('Left alone')} <span class="muted">{t('{n} parts, {m} reasons', { n: skipped.length, m: groups.length })}</span>
      </h2>
      <ul class="reasons small">
        {groups.map(({ reason, targets }) => (
          <li key={JSON.stringify(reason)} title={targets.slice(0, 40).map(placeWord).join('\n')}>
            <Icon name="info" />
            <span>
              {targets.length === 1 ? placeWord(targets[0]!) : count(targets.length)} <span class="muted">{say(reason)}</span>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
