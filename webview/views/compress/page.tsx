import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { CompressEvents, CompressHostApi, CompressView, Recipe } from '../../../src/protocol/messages.ts';
import { connectHost, getState, setState } from '../../bridge.ts';
import { Button } from '../../controls.tsx';
import { Icon } from '../../icons.tsx';
import { say, t } from '../../l10n.ts';
import { bytesText, changeShare, count } from '../../numbers.ts';
import { addStep, type Draft, draftOf, type FieldValue, moveStep, recipeOf, removeStep, withOption } from './draft.ts';
import { DryRunPane } from './dry-run.tsx';
import { Footer, formatOf, RunningFooter, withEnding } from './footer.tsx';
import { Form } from './form.tsx';
import { doneWord, failureWord, type Outcome, OutcomeBanner } from './outcome.tsx';
import { PassList } from './pass-list.tsx';
import { failureOf, useDryRun } from './requests.ts';
import { advance, Running, startWork, type Work } from './running.tsx';
import { StepList } from './steps.tsx';

const host = connectHost<CompressHostApi, CompressEvents>();

/** What survives hiding and reloading the page. */
interface Saved {
  readonly version: 1;
  /** The recipe the host gave; another one from it replaces what was edited. */
  readonly given: string;
  readonly path: string;
  readonly draft: Draft;
  readonly out: string;
  readonly format: 'onnx' | 'safetensors';
}

export function CompressPage() {
  const [view, setView] = useState<CompressView | null>(null);
  useEffect(() => {
    const stop = host.on('view', setView);
    void host.api.view().then(setView, () => undefined);
    return stop;
  }, []);
  if (!view) return <main class="opening" aria-busy="true" />;
  return <CompressForm key={view.path + JSON.stringify(view.recipe)} view={view} />;
}

function initial(view: CompressView): Omit<Saved, 'version' | 'given' | 'path'> {
  const saved = getState<Saved>();
  const same = saved?.version === 1 && saved.path === view.path && saved.given === JSON.stringify(view.recipe);
  if (same && saved.draft && saved.out !== undefined && saved.format)
    return { draft: saved.draft, out: saved.out, format: saved.format };
  return { draft: draftOf(view.recipe), out: view.out, format: view.outFormat };
}

function CompressForm({ view }: { view: CompressView }) {
  const [first] = useState(() => initial(view));
  const [draft, setDraft] = useState(first.draft);
  const [out, setOut] = useState(first.out);
  const [format, setFormat] = useState(first.format);
  const [invalid, setInvalid] = useState<ReadonlySet<string>>(new Set());
  const [adding, setAdding] = useState(false);
  const [work, setWork] = useState<Work | null>(() => (view.running ? startWork(view.running, Date.now()) : null));
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [announcement, setAnnouncement] = useState('');
  const focusNext = useRef<'outcome' | 'run' | number | null>(null);
  const options = useRef<HTMLElement>(null);
  const runButton = useRef<HTMLElement | null>(null);

  const recipe = useMemo<Recipe>(() => recipeOf(draft), [draft]);
  const empty = draft.steps.length === 0;
  const dryRun = useDryRun(
    (...question) => host.api.dryRun(...question),
    recipe,
    out,
    format,
    !empty && !work && invalid.size === 0,
  );
  const answer = empty ? null : dryRun.answer;
  const shown = { answer, stale: dryRun.stale || invalid.size > 0 };

  useEffect(() => {
    setState<Saved>({ version: 1, given: JSON.stringify(view.recipe), path: view.path, draft, out, format });
  }, [draft, out, format]);
  useEffect(() => host.on('progress', event => setWork(known => advance(known ?? startWork(null, Date.now()), event))), []);
  const mine = useRef(false);
  useEffect(() => {
    if (view.running && !work) setWork(startWork(view.running, Date.now()));
    if (!view.running && !mine.current) setWork(null);
  }, [view]);

  const tenth = work?.event.fraction === undefined ? undefined : Math.floor(work.event.fraction * 10);
  const title = titleOf(view, draft);
  useEffect(() => {
    if (tenth !== undefined && tenth > 0) setAnnouncement(t('{what}, {n} percent', { what: title, n: tenth * 10 }));
  }, [tenth]);

  const why = empty
    ? t('Add a step first.')
    : invalid.size > 0
      ? t('An option is not a number it can be.')
      : out.trim() === ''
        ? t('Choose where to write.')
        : answer?.report && answer.report.edits.length === 0
          ? t('These steps change nothing in this model.')
          : answer?.failure && answer.failure.code !== 'output-exists'
            ? say(answer.failure.sentence)
            : undefined;
  const canRun = why === undefined && !work;

  const run = async (): Promise<void> => {
    if (!canRun) return;
    mine.current = true;
    setOutcome(null);
    setWork(startWork(null, Date.now()));
    setAnnouncement(t('{what}, started', { what: title }));
    try {
      const report = await host.api.run(recipe, out, format);
      setOutcome({ kind: 'done', report });
      setAnnouncement(doneWord(report));
    } catch (error) {
      const failure = failureOf(error);
      setOutcome({ kind: 'failed', failure });
      setAnnouncement(failureWord(failure));
    }
    mine.current = false;
    focusNext.current = 'outcome';
    setWork(null);
  };
  const cancel = (): void => {
    setWork(known => known && { ...known, cancelling: true });
    setAnnouncement(t('Cancelling…'));
    void host.api.cancel();
  };

  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      void run();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  });

  /** Focus follows a step that moved, and goes to a neighbour when one is gone. */
  const change = (next: Draft, focus?: number): void => {
    setDraft(next);
    setInvalid(new Set());
    focusNext.current = focus ?? null;
  };
  useEffect(() => {
    if (typeof focusNext.current === 'number')
      document.querySelector<HTMLElement>(`.pick[data-key="${focusNext.current}"]`)?.focus();
    if (typeof focusNext.current === 'number') focusNext.current = null;
  }, [draft]);

  const selected = draft.steps[draft.selected];
  const pass = view.passes.find(({ id }) => id === selected?.pass);
  const passList = (
    <PassList
      passes={view.passes}
      disabled={work !== null}
      onAdd={id => {
        setAdding(false);
        change(addStep(draft, id));
      }}
    />
  );
  const after = answer?.report?.after.fileBytes;
  return (
    <main class={work ? 'compress running' : 'compress'}>
      <header class="hdr">
        <h1>{t('Compress')}</h1>
        <span class="what clip">
          <bdi>{view.name}</bdi> · {t('{n} parameters', { n: view.parameters })} · {bytesText(view.fileBytes)}
        </span>
        {after !== undefined && (
          <span class={shown.stale ? 'tot dr stale' : 'tot dr'}>
            <span>
              <b>{bytesText(after)}</b> <span class="muted">{changeShare(view.fileBytes, after)}</span>
            </span>
          </span>
        )}
      </header>
      {outcome && !work && (
        <OutcomeBanner
          outcome={outcome}
          onOpen={path => void host.api.openResult(path)}
          onLog={() => void host.api.showLog()}
          onClose={() => {
            setOutcome(null);
            runButton.current?.focus();
          }}
          element={element => {
            if (!element || focusNext.current !== 'outcome') return;
            focusNext.current = null;
            element.focus();
          }}
        />
      )}
      <div class="body">
        <nav class="steps scroll" aria-label={t('Recipe')}>
          <h2>{t('Recipe')}</h2>
          <StepList
            draft={draft}
            passes={view.passes}
            running={work !== null}
            onSelect={index => change({ ...draft, selected: index })}
            onRemove={index => {
              const next = removeStep(draft, index);
              change(next, next.steps[Math.min(index, next.steps.length - 1)]?.key);
            }}
            onMove={(index, by) => change(moveStep(draft, index, by), draft.steps[index]!.key)}
            onEdit={() =>
              options.current
                ?.querySelector<HTMLElement>('vscode-radio-group, vscode-dropdown, vscode-text-field, vscode-checkbox, textarea')
                ?.focus()
            }
          />
          <div class="only-narrow addbutton">
            <Button disabled={work !== null} expanded={adding} onClick={() => setAdding(!adding)}>
              <Icon name="plus" />
              {t('Add a step')}
            </Button>
          </div>
          <section class={adding ? 'add open' : 'add'} aria-label={t('Add a step')}>
            <h2>{t('Add a step')}</h2>
            {passList}
          </section>
        </nav>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a pane that scrolls can be scrolled by keys */}
        <section class="form scroll" aria-label={work ? t('Progress') : t('Options')} tabIndex={0} ref={options}>
          {work ? (
            <Running work={work} title={title} />
          ) : selected ? (
            <Form
              pass={pass}
              step={selected}
              index={draft.selected}
              of={draft.steps.length}
              onChange={(name, value: FieldValue) =>
                setDraft(known => withOption(known, known.selected, name, pass!.fields[name]!, value))
              }
              onInvalid={(name, wrong) =>
                setInvalid(known => {
                  if (known.has(name) === wrong) return known;
                  const next = new Set(known);
                  if (wrong) next.add(name);
                  else next.delete(name);
                  return next;
                })
              }
            />
          ) : (
            <p class="muted">{t('A recipe is a list of steps. Add one, and its options appear here.')}</p>
          )}
        </section>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: as above */}
        <section class="sum scroll" aria-label={t('What this will do')} tabIndex={0}>
          <DryRunPane dryRun={shown} steps={draft.steps} passes={view.passes} fileBytes={view.fileBytes} />
        </section>
      </div>
      {work ? (
        <RunningFooter name={out.split(/[\\/]/).at(-1) ?? out} cancelling={work.cancelling} onCancel={cancel} />
      ) : (
        <Footer
          out={out}
          format={format}
          steps={draft.steps.length}
          canRun={canRun}
          why={why}
          onOut={path => {
            setOut(path);
            const ending = formatOf(path);
            if (ending) setFormat(ending);
          }}
          onFormat={next => {
            setFormat(next);
            setOut(withEnding(out, next));
          }}
          onBrowse={async () => {
            const chosen = await host.api.chooseOut(out).catch(() => null);
            if (chosen === null) return;
            setOut(chosen);
            setFormat(formatOf(chosen) ?? format);
          }}
          onCopyCommand={() => void host.api.copyCommand(recipe, out)}
          onSaveRecipe={() => void host.api.saveRecipe(recipe)}
          onRun={() => void run()}
          runButton={element => {
            runButton.current = element;
          }}
        />
      )}
      <p class="sr" aria-live="polite">
        {announcement}
      </p>
    </main>
  );
}

/** "Quantize" for one step, "3 steps" for more. */
function titleOf(view: CompressView, { steps }: Draft): string {
  const pass = view.passes.find(({ id }) => id === steps[0]?.pass);
  if (steps.length === 1) return pass ? say(pass.title) : steps[0]!.pass;
  return t('{n} steps', { n: count(steps.length) });
}
