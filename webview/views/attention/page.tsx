import { useEffect, useRef, useState } from 'preact/hooks';
import type { AttentionEvents, AttentionHostApi, AttentionMaps, AttentionView, Failure } from '../../../src/protocol/messages.ts';
import { connectHost, HostError } from '../../bridge.ts';
import { Button, Dropdown, TextField } from '../../controls.tsx';
import { Icon } from '../../icons.tsx';
import { t } from '../../l10n.ts';
import { largestWeight, type TokenPair } from '../../layout/attention.ts';
import { visibleName } from '../../layout/names.ts';
import { share } from '../../numbers.ts';
import { Failed } from '../failed.tsx';
import { Name } from '../name.tsx';
import { AllHeads } from './all-heads.tsx';
import { HeadMap } from './head-map.tsx';

const { api } = connectHost<AttentionHostApi, AttentionEvents>();
const showLog = (): void => void api.showLog();

type Answer =
  | { readonly state: 'none' }
  | { readonly state: 'running' }
  | { readonly state: 'failed'; readonly failure: Failure }
  | { readonly state: 'done'; readonly maps: readonly (AttentionMaps | null)[] };

const all = 'all';

/** What the heads of a layer look at in a sentence, of one model or of two side by side. */
export function AttentionPage() {
  const [view, setView] = useState<AttentionView | Failure | null>(null);
  const [layer, setLayer] = useState(0);
  const [head, setHead] = useState<number | null>(null);
  const [text, setText] = useState('');
  const [at, setAt] = useState<TokenPair>({ from: 1, to: 1 });
  const { answer, ask, cancel } = useAnswer();
  useEffect(() => {
    api.view().then(
      known => {
        setView(known);
        setLayer(known.layer);
        setHead(known.head);
        setText(known.text);
        if (known.text.trim()) ask(known.text, known.layer);
      },
      error => setView(error instanceof HostError ? error.failure : null),
    );
  }, []);
  if (!view) return <main aria-busy="true" />;
  if ('code' in view) return <Failed failure={view} onLog={showLog} />;
  const show = (chosen: { layer?: number; head?: number | null }): void => {
    const next = { layer, head, ...chosen };
    setLayer(next.layer);
    setHead(next.head);
    void api.keep(next.layer, next.head, text);
    if (chosen.layer !== undefined && text.trim()) ask(text, next.layer);
  };
  const run = (): void => {
    if (!text.trim()) return;
    void api.keep(layer, head, text);
    ask(text, layer);
  };
  const maps = answer.state === 'done' ? answer.maps : [];
  const heads = [...new Set(maps.flatMap(each => each?.heads.map(one => one.head) ?? []))].sort((a, b) => a - b);
  const layers = Math.max(1, ...view.layers);
  const most = largestWeight(maps, head);
  return (
    <main class="attention">
      <header class="hdr">
        <h1 class="row">
          {view.names.map((name, index) => (
            <span class="row" key={index}>
              {index > 0 && <Icon name="arrow" />}
              <Name>{name}</Name>
            </span>
          ))}
        </h1>
        <span class="what clip">{t('What the heads of a layer look at in a sentence')}</span>
      </header>
      <div class="toolbar" role="toolbar" aria-label={t('What is shown')}>
        <span class="muted">{t('Layer')}</span>
        <Dropdown
          class="pick"
          label={t('Layer')}
          value={String(layer)}
          choices={Array.from({ length: layers }, (_, index) => ({ value: String(index), label: String(index) }))}
          onChange={value => show({ layer: Number(value) })}
        />
        <span class="muted">{t('Head')}</span>
        <Dropdown
          class="pick"
          label={t('Head')}
          value={head === null ? all : String(head)}
          choices={[
            { value: all, label: t('All') },
            ...[...new Set([...heads, ...(head === null ? [] : [head])])]
              .sort((a, b) => a - b)
              .map(one => ({ value: String(one), label: String(one) })),
          ]}
          onChange={value => show({ head: value === all ? null : Number(value) })}
        />
        <TextField
          class="sentence"
          label={t('Sentence')}
          placeholder={t('A sentence to read')}
          value={text}
          onInput={setText}
          onKeyDown={event => {
            if (event.key === 'Enter') run();
          }}
        />
        {answer.state === 'running' ? (
          <Button onClick={cancel}>{t('Cancel')}</Button>
        ) : (
          <Button kind="primary" disabled={!text.trim()} onClick={run}>
            {t('Show')}
          </Button>
        )}
      </div>
      {answer.state === 'running' && (
        <div class="prog" role="progressbar" aria-label={t('The model reads the sentence')}>
          <i />
        </div>
      )}
      {answer.state === 'failed' && <Failed failure={answer.failure} onLog={showLog} />}
      {answer.state === 'none' && (
        <p class="muted hint">{t('Give a sentence: each model reads it, and each head’s attention is drawn over its tokens.')}</p>
      )}
      {answer.state === 'done' && (
        <>
          <p class="small muted hint">
            {t('A row is the token that looks, a column the token that is looked at. Each row sums to 100 %.')}
          </p>
          <div class="scale hint">
            <span>{share(0, 0)}</span>
            <span class="ramp" aria-hidden="true" />
            <span>{share(most, 1)}</span>
            <span class="clip">{t('one linear scale for all maps')}</span>
          </div>
          {head !== null && unlikeHeads(maps) && (
            <p class="small hint">
              {t('The two models do not have the same number of heads in this layer: a number need not mean the same head.')}
            </p>
          )}
          <div class="maps">
            {maps.map((each, index) => (
              <Maps
                key={index}
                name={view.names.length > 1 ? view.names[index]! : undefined}
                maps={each}
                head={head}
                most={most}
                at={at}
                onAt={setAt}
                onHead={one => show({ head: one })}
              />
            ))}
          </div>
        </>
      )}
      <p class="sr" aria-live="polite">
        {answer.state === 'done' ? t('Read: {n} tokens', { n: maps.find(each => each)?.tokens.length ?? 0 }) : ''}
      </p>
    </main>
  );
}

/** Heads are numbered anew when some before them were removed. */
const unlikeHeads = (maps: readonly (AttentionMaps | null)[]): boolean =>
  new Set(maps.flatMap(each => (each ? [each.heads.length] : []))).size > 1;

interface MapsProps {
  readonly name: string | undefined;
  readonly maps: AttentionMaps | null;
  readonly head: number | null;
  readonly most: number;
  readonly at: TokenPair;
  readonly onAt: (at: TokenPair) => void;
  readonly onHead: (head: number) => void;
}

function Maps({ name, maps, head, most, at, onAt, onHead }: MapsProps) {
  const beside = name === undefined ? '' : `${visibleName(name, 80)} · `;
  if (!maps) return <Absent said={`${beside}${t('This model has no such layer.')}`} />;
  const where = t('Layer {n}', { n: maps.layer });
  if (head === null) return <AllHeads title={`${beside}${where}`} maps={maps} most={most} onHead={onHead} />;
  const found = maps.heads.find(each => each.head === head);
  if (!found) return <Absent said={`${beside}${t('Layer {layer} has no head {head}', { layer: maps.layer, head })}`} />;
  const title = `${beside}${t('Layer {layer}, head {head}', { layer: maps.layer, head })}`;
  return <HeadMap title={title} tokens={maps.tokens} weights_TT={found.weights_TT} most={most} at={at} onAt={onAt} />;
}

const Absent = ({ said }: { said: string }) => (
  <section class="head-map">
    <p class="muted">{said}</p>
  </section>
);

/** One question at a time: a new one cancels the one before. */
function useAnswer() {
  const [answer, setAnswer] = useState<Answer>({ state: 'none' });
  const running = useRef<AbortController | undefined>(undefined);
  const ask = (text: string, layer: number): void => {
    running.current?.abort();
    const asked = new AbortController();
    running.current = asked;
    setAnswer({ state: 'running' });
    const show = (next: Answer): void => {
      if (running.current === asked) setAnswer(next);
    };
    api.attention({ text, layer }, { signal: asked.signal }).then(
      maps => show({ state: 'done', maps }),
      error => {
        if (!(error instanceof HostError)) throw error;
        show(error.failure.code === 'cancelled' ? { state: 'none' } : { state: 'failed', failure: error.failure });
      },
    );
  };
  return { answer, ask, cancel: () => running.current?.abort() };
}
