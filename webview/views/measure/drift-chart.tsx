import { useState } from 'preact/hooks';
import type { LayerDrift, Measurement } from '../../../src/protocol/messages.ts';
import { t } from '../../l10n.ts';
import { driftFloor, driftHeight, driftTicks } from '../../layout/diff-drift.ts';
import { cosine, decimals } from '../../numbers.ts';
import { layerMark, layerWord, measureWord } from './words.ts';

/** Of the drawing, in its own units: it is stretched to the pane's width, text and dots are not. */
const height = 112;

/** Drift by layer beside the rows, or that it was not measured. */
export function DriftPane({ measurement }: { measurement: Measurement }) {
  const layers = measurement.state === 'done' ? (measurement.kept.evaluation.layers ?? []) : [];
  return (
    <section class="pane drift">
      <div class="row">
        <h2>{t('Drift by layer')}</h2>
        <span class="grow" />
        {layers[0] && <span class="small muted">{measureWord(layers[0])}</span>}
      </div>
      {layers.length > 0 ? <Chart layers={layers} /> : <p class="muted">{absence(measurement)}</p>}
    </section>
  );
}

function absence({ state }: Measurement): string {
  if (state === 'running') return t('Measuring…');
  if (state === 'done') return t('This measurement has no drift by layer.');
  return t('Not measured. Choose sentences and both models read them.');
}

/** Dots are means, whiskers the worst text; the read-out follows the pointer and the arrow keys. */
function Chart({ layers }: { layers: readonly LayerDrift[] }) {
  const [at, setAt] = useState(layers.length - 1);
  const floor = driftFloor(layers);
  const read = layers[Math.min(at, layers.length - 1)]!;
  const left = (index: number): number => ((index + 0.5) / layers.length) * 100;
  const top = (value: number): number => (1 - driftHeight(value, floor)) * height;
  const line = layers.flatMap(({ mean }, index) => (mean === null ? [] : [`${left(index)},${top(mean)}`])).join(' ');
  const onKeyDown = (event: KeyboardEvent): void => {
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: layers.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    setAt(Math.max(0, Math.min(layers.length - 1, to)));
  };
  const onPointer = (event: PointerEvent): void => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const index = Math.floor(((event.clientX - box.left) / box.width) * layers.length);
    setAt(Math.max(0, Math.min(layers.length - 1, index)));
  };
  const every = Math.ceil(layers.length / 13);
  return (
    <>
      <div class="drift-chart">
        <div class="ticks num" aria-hidden="true" style={{ height: `${height}px` }}>
          {driftTicks(floor).map(tick => (
            <span key={tick} style={{ top: `${top(tick)}px` }}>
              {decimals(tick, floor >= 0.99 ? 3 : 2)}
            </span>
          ))}
        </div>
        <div
          class="plot"
          style={{ height: `${height}px` }}
          role="slider"
          tabIndex={0}
          aria-label={t('Drift by layer')}
          aria-valuemin={0}
          aria-valuemax={layers.length - 1}
          aria-valuenow={Math.min(at, layers.length - 1)}
          aria-valuetext={readOut(read)}
          onKeyDown={onKeyDown}
          onPointerMove={onPointer}
          onPointerDown={onPointer}
        >
          <svg viewBox={`0 0 100 ${height}`} preserveAspectRatio="none" aria-hidden="true">
            {driftTicks(floor).map(tick => (
              <line key={tick} class="rule" x1="0" x2="100" y1={top(tick)} y2={top(tick)} />
            ))}
            {layers.map(
              ({ min, mean }, index) =>
                min !== null &&
                mean !== null && (
                  <line key={index} class="whisker" x1={left(index)} x2={left(index)} y1={top(mean)} y2={top(min)} />
                ),
            )}
            <polyline class="means" points={line} />
          </svg>
          {layers.map(({ mean, min }, index) => (
            <>
              {min !== null && <i key={`w${index}`} class="foot" style={{ left: `${left(index)}%`, top: `${top(min)}px` }} />}
              {mean !== null && (
                <i
                  key={index}
                  class={`dot ${layers[at] === layers[index] ? 'on' : ''}`}
                  style={{ left: `${left(index)}%`, top: `${top(mean)}px` }}
                />
              )}
            </>
          ))}
        </div>
        <div class="marks small muted" aria-hidden="true">
          {layers.map(({ id }, index) => (
            <span key={id}>{index % every === 0 || index === layers.length - 1 ? layerMark(id) : ''}</span>
          ))}
        </div>
      </div>
      <p class="small read" aria-hidden="true">
        {readOut(read)}
      </p>
      <p class="small muted">{t('Dot: mean of {n} texts. Whisker: the text that moved most.', { n: read.count })}</p>
      <table class="sr">
        <caption>{t('Drift by layer')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('Layer')}</th>
            <th scope="col">{t('Mean')}</th>
            <th scope="col">{t('Worst text')}</th>
          </tr>
        </thead>
        <tbody>
          {layers.map(each => (
            <tr key={each.id}>
              <th scope="row">{layerWord(each.id)}</th>
              <td>{value(each.mean)}</td>
              <td>{value(each.min)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

const value = (it: number | null): string => (it === null ? '–' : cosine(it));

function readOut(layer: LayerDrift): string {
  const numbers = { mean: value(layer.mean), min: value(layer.min) };
  if (layer.id === layer.against) return t('{layer}: mean {mean}, worst {min}', { layer: layerWord(layer.id), ...numbers });
  return t('{layer}, before {other}: mean {mean}, worst {min}', {
    layer: layerWord(layer.id),
    other: layerWord(layer.against),
    ...numbers,
  });
}
