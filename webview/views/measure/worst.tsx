import type { Evaluation, Measurement } from '../../../src/protocol/messages.ts';
import { say, t } from '../../l10n.ts';
import { visibleName } from '../../layout/names.ts';
import { bytesText, cosine, count, timeText } from '../../numbers.ts';
import { taskWord, whenWord } from './words.ts';

/** The texts whose outputs moved most, with both predictions, and what else the run has to say. */
export function WorstPane({ measurement }: { measurement: Measurement }) {
  const evaluation = measurement.state === 'done' ? measurement.kept.evaluation : undefined;
  return (
    <section class="pane worst">
      <h2>{t('Sentences that moved most')}</h2>
      {evaluation ? <Worst evaluation={evaluation} /> : <p class="muted">{absence(measurement)}</p>}
    </section>
  );
}

const absence = ({ state }: Measurement): string =>
  state === 'running' ? t('Measuring…') : t('Not measured. Sentences appear here after quality is measured.');

function Worst({ evaluation: { worst } }: { evaluation: Evaluation }) {
  if (worst.length === 0) return <p class="muted">{t('No sentence moved.')}</p>;
  const predicts = worst.some(({ before, after }) => before !== null || after !== null);
  const moves = worst.some(each => each.cosine !== null);
  return (
    <table class="texts">
      <thead>
        <tr class="small muted">
          <th scope="col">{t('Sentence')}</th>
          {moves && (
            <th scope="col" class="num">
              {t('Cosine')}
            </th>
          )}
          {predicts && (
            <>
              <th scope="col" class="num" title={t('The class predicted before')}>
                {t('Before')}
              </th>
              <th scope="col" class="num" title={t('The class predicted after')}>
                {t('After')}
              </th>
            </>
          )}
        </tr>
      </thead>
      <tbody>
        {worst.map((each, index) => (
          <tr key={index} class={each.before === each.after ? undefined : 'differs'}>
            <td title={visibleName(each.text, 2000)}>
              <bdi class="lines">{visibleName(each.text, 400)}</bdi>
            </td>
            {moves && <td class="num">{each.cosine === null ? '–' : cosine(each.cosine)}</td>}
            {predicts && (
              <>
                <td class="num">{each.before === null ? '–' : count(each.before)}</td>
                <td class="num">{each.after === null ? '–' : count(each.after)}</td>
              </>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** "10 → 8", or one where there is no other. */
const pair = (before: number | null | undefined, after: number, write: (value: number) => string): string =>
  typeof before === 'number' ? t('{before} → {after}', { before: write(before), after: write(after) }) : write(after);

/** Of each model where that is known, else the most the process held. */
function memoryText({ memoryBytes, against, peakBytes }: Evaluation): string {
  if (memoryBytes !== undefined) return pair(against?.memoryBytes, memoryBytes, bytesText);
  return t('{bytes} at its peak, with both models', { bytes: bytesText(peakBytes) });
}

/** When, on what, with what: what every figure belongs to. */
export function HowMeasured({ measurement }: { measurement: Measurement }) {
  if (measurement.state !== 'done') return null;
  const { kept, unkept } = measurement;
  const { evaluation } = kept;
  const { latency } = evaluation;
  const fact = (name: string, value: string) => (
    <>
      <dt>{name}</dt>
      <dd class="wrap">{value}</dd>
    </>
  );
  return (
    <section class="pane">
      <h2>{t('How this was measured')}</h2>
      <dl class="kv">
        {fact(t('When'), whenWord(kept.at))}
        {fact(t('On'), taskWord(evaluation.task))}
        {fact(
          t('Speed'),
          t('{batch} × {length} tokens, {threads} threads, {n} runs in turn', {
            batch: latency.batch,
            length: latency.length,
            threads: latency.threads,
            n: latency.runs,
          }),
        )}
        {fact(t('Load time'), pair(evaluation.against?.loadMs, evaluation.loadMs, timeText))}
        {fact(t('Memory'), memoryText(evaluation))}
        {typeof evaluation.multiplyAdds === 'number' &&
          fact(t('Multiply-adds'), pair(evaluation.against?.multiplyAdds, evaluation.multiplyAdds, count))}
        {fact(t('With'), visibleName(evaluation.runtime, 80))}
      </dl>
      {evaluation.tokenizer === 'seed' && (
        <p class="small muted">{t('There is no tokenizer beside the model: token ids were drawn from a seed.')}</p>
      )}
      {evaluation.cut > 0 && (
        <p class="small muted">{t('{n} texts were cut to the length of the model.', { n: evaluation.cut })}</p>
      )}
      {evaluation.nonFinite > 0 && (
        <p class="small err">{t('The outputs of {n} texts hold NaN or infinity.', { n: evaluation.nonFinite })}</p>
      )}
      {evaluation.firstNonFinite && (
        <p class="small err">{t('The first is in {place}.', { place: visibleName(evaluation.firstNonFinite.id) })}</p>
      )}
      {evaluation.notes.map((note, index) => (
        <p key={index} class="small muted">
          {visibleName(say(note), 400)}
        </p>
      ))}
      {unkept && <p class="small muted">{t('It could not be kept beside the model: {why}', { why: say(unkept.sentence) })}</p>}
    </section>
  );
}
