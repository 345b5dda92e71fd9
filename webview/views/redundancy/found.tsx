import type { ComponentChildren } from 'preact';
import type { Redundancy, Saving } from '../../../src/protocol/messages.ts';
import { Button } from '../../controls.tsx';
import { say, t } from '../../l10n.ts';
import { visibleName } from '../../layout/names.ts';
import { bytesText, changeShare, cosine, count, share } from '../../numbers.ts';
import { Sideways } from './sideways.tsx';
import { SimilarityGrid } from './similarity.tsx';
import { Spectra } from './spectra.tsx';

interface Props {
  readonly redundancy: Redundancy;
  readonly savings: readonly Saving[];
  readonly fileBytes: number;
  readonly onTry: (pass: string, options: Readonly<Record<string, unknown>>) => void;
}

/** What was found, the most useful first. */
export function Found({ redundancy, savings, fileBytes, onTry }: Props) {
  const { spectra, layers, heads, repeats, vocabulary, nearZero } = redundancy;
  return (
    <div class="found scroll">
      <Section title={t('What would it save')} note={t('exact, from a dry run')}>
        <Savings savings={savings} fileBytes={fileBytes} onTry={onTry} />
      </Section>
      {spectra.length > 0 && (
        <Section title={t('Rank of the matrices')} note={t('smallest rank that keeps so much of the energy')}>
          <Spectra spectra={spectra} />
        </Section>
      )}
      {layers && (
        <Section title={t('Layers to each other')} note={t('cosine of all their matrices')}>
          <SimilarityGrid similarity={layers} />
        </Section>
      )}
      {heads.length > 0 && (
        <Section title={t('Heads within a layer')} note={t('cosine')}>
          <div class="grids">
            {heads.map(each => (
              <figure key={each.id}>
                <figcaption>
                  <bdi>{visibleName(each.id, 60)}</bdi>
                </figcaption>
                <SimilarityGrid similarity={each} small />
              </figure>
            ))}
          </div>
        </Section>
      )}
      <Section title={t('Tensors that stand twice')}>
        {repeats.length === 0 ? (
          <p class="muted">{t('None: no two tensors are alike.')}</p>
        ) : (
          <Table heads={[t('Tensor'), t('Like'), t('Cosine'), t('Bytes')]} numbers={2}>
            {repeats.slice(0, 100).map(it => (
              <tr key={it.tensor}>
                <td class="mono clip">
                  <bdi>{visibleName(it.tensor, 120)}</bdi>
                </td>
                <td class="mono clip">
                  <bdi>{visibleName(it.of, 120)}</bdi>
                </td>
                <td class="num">{cosine(it.cosine)}</td>
                <td class="num">{bytesText(it.byteLength)}</td>
              </tr>
            ))}
          </Table>
        )}
      </Section>
      <Section title={t('Unused vocabulary')}>
        <p>
          {vocabulary
            ? t('{unused} of {rows} rows look untrained: {size}.', {
                unused: count(vocabulary.unused),
                rows: count(vocabulary.rows),
                size: bytesText(vocabulary.byteLength),
              })
            : t('There is no word table.')}
        </p>
      </Section>
      <Section title={t('Weights near zero')} note={t('under 1 % of their matrix’s standard deviation')}>
        <p>{t('{share} of all weights. Zeros alone do not make a file smaller.', { share: share(nearZero.all) })}</p>
      </Section>
    </div>
  );
}

function Section({ title, note, children }: { title: string; note?: string; children: ComponentChildren }) {
  return (
    <section class="pane">
      <h2>
        {title} {note && <span class="muted note">{note}</span>}
      </h2>
      {children}
    </section>
  );
}

/** Columns behind the first `heads.length - numbers` hold numbers. */
export function Table({ heads, numbers, children }: { heads: readonly string[]; numbers: number; children: ComponentChildren }) {
  return (
    <Sideways label={heads.join(', ')}>
      <table>
        <thead>
          <tr>
            {heads.map((head, place) => (
              <th key={head} scope="col" class={place >= heads.length - numbers ? 'num' : ''}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </Sideways>
  );
}

function Savings({ savings, fileBytes, onTry }: Omit<Props, 'redundancy'>) {
  return (
    <Table heads={[t('Command'), t('Options'), t('Try'), t('After'), '%']} numbers={2}>
      {savings.map(({ pass, title, options, fileBytes: after, reason }) => (
        <tr key={pass + JSON.stringify(options)}>
          <td>{say(title)}</td>
          <td class="muted">{worded(options)}</td>
          <td>
            {after === undefined ? (
              <span class="muted">{reason && say(reason)}</span>
            ) : (
              <Button onClick={() => onTry(pass, options)}>{t('Compress…')}</Button>
            )}
          </td>
          <td class="num">{after === undefined ? '' : bytesText(after)}</td>
          <td class="num">{after === undefined ? '' : changeShare(fileBytes, after)}</td>
        </tr>
      ))}
    </Table>
  );
}

const worded = (options: Readonly<Record<string, unknown>>): string =>
  Object.entries(options)
    .map(([name, value]) => (name === 'scheme' ? String(value) : `${name} ${JSON.stringify(value)}`))
    .join(', ');
