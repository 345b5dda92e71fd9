import { useState } from 'preact/hooks';
import type { EditorHostApi, HeatMap, Window } from '../../../../src/protocol/messages.ts';
import type { Remote } from '../../../../src/protocol/rpc.ts';
import { Segments } from '../../../controls.tsx';
import { Icon } from '../../../icons.tsx';
import { t } from '../../../l10n.ts';
import { mostCells, sameWindow, whole } from '../../../layout/heat-window.ts';
import { pathOf } from '../words.ts';
import { Exports } from './exports.tsx';
import { HeatMapView } from './heat-map.tsx';
import { Histogram } from './histogram.tsx';
import { Progress } from './progress.tsx';
import { type Readings, useReading } from './reading.ts';
import { Statistics, statisticsText } from './statistics.tsx';
import type { Subject } from './subject.ts';
import { Values } from './values.tsx';

/** What is kept of how a person looks into tensors. */
export interface InsideState {
  readonly log: boolean;
  /** Whether the grid of values is open. */
  readonly values: boolean;
}

export interface InsideProps {
  readonly subject: Subject;
  readonly api: Remote<EditorHostApi>;
  readonly readings: Readings;
  readonly state: InsideState;
  readonly onState: (part: Partial<InsideState>) => void;
  readonly onCopy: (text: string) => void;
}

/** Bytes above which a tensor is read only when it is asked for. */
const large = 256 * 2 ** 20;

/** A tensor's values: statistics, how they are spread, a map of the matrix, and the values themselves. */
export function Inside({ subject, api, readings, state, onState, onCopy }: InsideProps) {
  const { name, byteLength } = subject;
  const statistics = useReading({
    key: `statistics ${name}`,
    read: options => api.statistics(name, options),
    readings,
    automatic: byteLength <= large,
  });
  const done = statistics.reading.state === 'done' ? statistics.reading.value : undefined;
  return (
    <div class="inside">
      <Progress reading={statistics.reading} byteLength={byteLength} onStart={statistics.start} onCancel={statistics.cancel} />
      {done === null && <p class="small muted">{t('Text, complex numbers and empty tensors have no statistics.')}</p>}
      {done && (
        <>
          <Statistics statistics={done} />
          {done.count > done.nonFinite && (
            <section>
              <div class="row head">
                <h3>{t('Distribution')}</h3>
                <span class="grow" />
                <Segments
                  small
                  label={t('Scale of the histogram')}
                  value={state.log ? 'log' : 'linear'}
                  choices={[
                    { value: 'linear', label: t('Linear') },
                    { value: 'log', label: t('Log') },
                  ]}
                  onChange={value => onState({ log: value === 'log' })}
                />
              </div>
              <Histogram statistics={done} log={state.log} />
            </section>
          )}
          <Heat key={name} subject={subject} api={api} readings={readings} />
        </>
      )}
      {done !== null && (
        <section>
          <button type="button" class="expander" aria-expanded={state.values} onClick={() => onState({ values: !state.values })}>
            <Icon name="chevron" />
            <h3>{t('Values in the file')}</h3>
          </button>
          {state.values && <Values key={name} subject={subject} api={api} onCopy={onCopy} />}
        </section>
      )}
      <Exports key={name} api={api} name={name} onCopyStatistics={done ? () => onCopy(statisticsText(done)) : undefined} />
    </div>
  );
}

/** The heat map of one tensor: reads what is looked at, and shows what it has until then. */
function Heat({ subject, api, readings }: Pick<InsideProps, 'subject' | 'api' | 'readings'>) {
  const { name, byteLength, entry } = subject;
  const [wanted, setWanted] = useState<Window | null>(null);
  const [newest, setNewest] = useState<HeatMap | null>(null);
  const place = wanted ? `${wanted.top} ${wanted.bottom} ${wanted.left} ${wanted.right}` : 'whole';
  const { reading, start, cancel } = useReading({
    key: `heat map ${place} ${name}`,
    read: options => api.heatMap(name, { columns: mostCells, rows: mostCells, ...(wanted && { window: wanted }) }, options),
    readings,
    automatic: true,
    delay: wanted ? 60 : 0,
  });
  const read = reading.state === 'done' ? reading.value : null;
  if (read && read !== newest) setNewest(read);
  const map = read ?? newest;
  const look = (window: Window): void => setWanted(map && sameWindow(window, whole(map.matrix)) ? null : window);
  return (
    <section>
      {map && map.cells.length > 0 && (
        <HeatMapView title={pathOf(entry)} map={map} window={wanted ?? whole(map.matrix)} onWindow={look} />
      )}
      <Progress reading={reading} byteLength={wanted ? undefined : byteLength} onStart={start} onCancel={cancel} />
    </section>
  );
}
