import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { CompressView, Failure, Recipe } from '../../../src/protocol/messages.ts';
import { say, t } from '../../l10n.ts';
import { visibleName } from '../../layout/names.ts';
import { bytesText, changeShare, count } from '../../numbers.ts';
import { Failed } from '../failed.tsx';
import { SensitivityPane } from '../sensitivity/pane.tsx';
import { CalibrationField } from './calibration.tsx';
import { type Draft, optionOf, recipeOf, withOption } from './draft.ts';
import { DryRunPane } from './dry-run.tsx';
import { Footer, formatOf, RunningFooter, withEnding } from './footer.tsx';
import { Form } from './form.tsx';
import { host } from './host.ts';
import { obstacle } from './obstacle.ts';
import { OutcomeBanner } from './outcome.tsx';
import { placeOf } from './problem.ts';
import { RecipePane } from './recipe-pane.tsx';
import { failureOf, useDryRun } from './requests.ts';
import { useRun } from './run.ts';
import { Running } from './running.tsx';
import { keep, restored } from './saved.ts';
import { goesByPart, useSensitivity, useSensitivityShown } from './sensitivity.ts';

interface Shown {
  readonly view: CompressView;
  /** Counts the models and recipes the host gave: each is a form of its own. */
  readonly edition: number;
}

/** The form, in whichever state the host says it is. A view with a recipe that was edited here is news of the run only. */
export function CompressPage() {
  const [shown, setShown] = useState<Shown | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const edited = useRef(new Set<string>());
  const take = (view: CompressView): void => {
    const recipe = JSON.stringify(view.recipe);
    const known = edited.current.has(recipe);
    edited.current.add(recipe);
    setFailure(null);
    setShown(last => {
      const edition = last?.edition ?? 0;
      return { view, edition: last?.view.path === view.path && known ? edition : edition + 1 };
    });
  };
  const ask = (): void => void host.api.view().then(take, error => setFailure(failureOf(error)));
  useEffect(() => {
    const stop = host.on('view', take);
    ask();
    return stop;
  }, []);
  if (failure && !shown)
    return (
      <main class="compress">
        <Failed
          title={t('This model could not be opened')}
          failure={failure}
          onRetry={ask}
          onLog={() => void host.api.showLog()}
        />
      </main>
    );
  if (!shown) return <main aria-busy="true" />;
  return <CompressForm key={shown.edition} view={shown.view} onRecipe={recipe => edited.current.add(JSON.stringify(recipe))} />;
}

/** Recipe, options and dry run of one model; while it runs, its progress in place of the options. */
function CompressForm({ view, onRecipe }: { view: CompressView; onRecipe: (recipe: Recipe) => void }) {
  const [first] = useState(() => restored(view));
  const [draft, setDraft] = useState(first.draft);
  const [out, setOut] = useState(first.out);
  const [format, setFormat] = useState(first.format);
  const [proposed, setProposed] = useState(first.proposed);
  const [calibration, setCalibration] = useState(first.calibration);
  const [invalid, setInvalid] = useState<ReadonlySet<string>>(new Set());
  useEffect(
    () => keep(first.given, view, { draft, out, proposed, format, calibration }),
    [draft, out, proposed, format, calibration],
  );

  const title = titleOf(view, draft);
  const run = useRun(view, title);
  const { work, outcome } = run;
  const recipe = useMemo<Recipe>(() => recipeOf(draft, view.passes), [draft, view.passes]);
  useLayoutEffect(() => onRecipe(recipe), [recipe]);
  const empty = draft.steps.length === 0;
  useProposal(recipe, format, empty || work !== null || out !== proposed, path => {
    setProposed(path);
    setOut(path);
  });
  const editing = !empty && !work && invalid.size === 0;
  const dryRun = useDryRun((...question) => host.api.dryRun(...question), recipe, out, format, calibration, editing);
  const answer = empty ? null : dryRun.answer;
  const shown = { answer, stale: dryRun.stale || invalid.size > 0 };

  const why = obstacle(draft.steps.length, invalid.size, out, answer);
  const start = (): void => {
    if (why === undefined && !work) void run.start(() => host.api.run(recipe, out, format, calibration));
  };
  useRunKey(start);
  const sensitivity = useSensitivity(view);
  const sensitivityTitle = useSensitivityShown(view, draft, setDraft);
  const options = useRef<HTMLElement>(null);
  const runButton = useRef<HTMLElement | null>(null);
  const markInvalid = (name: string, wrong: boolean): void =>
    setInvalid(known => (known.has(name) === wrong ? known : wrong ? new Set([...known, name]) : without(known, name)));

  // What a run met counts until another dry run answers.
  const failure = answer?.failure ?? (outcome?.kind === 'failed' ? outcome.failure : undefined);
  const problem = failure && placeOf(failure, calibration);
  const selected = draft.steps[draft.selected];
  const pass = view.passes.find(({ id }) => id === selected?.pass);
  return (
    <main class={work ? 'compress running' : 'compress'}>
      <Heading view={view} after={answer?.report?.after.fileBytes} stale={shown.stale} />
      {outcome && !work && (
        <OutcomeBanner
          outcome={outcome}
          onOpen={path => void host.api.openResult(path)}
          onLog={() => void host.api.showLog()}
          onClose={() => {
            run.dismiss();
            runButton.current?.focus();
          }}
          element={element => element && run.takesFocus() && element.focus()}
        />
      )}
      <div class="body">
        <RecipePane
          draft={draft}
          passes={view.passes}
          running={work !== null}
          onChange={next => {
            setDraft(next);
            setInvalid(new Set());
          }}
          onEdit={() => options.current?.querySelector<HTMLElement>(controls)?.focus()}
        />
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a pane that scrolls can be scrolled by keys */}
        <section class="form scroll" aria-label={work ? t('Progress') : t('Options')} tabIndex={0} ref={options}>
          {work ? (
            <Running work={work} title={title} />
          ) : selected ? (
            <>
              <Form
                pass={pass}
                step={selected}
                index={draft.selected}
                of={draft.steps.length}
                {...(problem?.at === 'option' &&
                  problem.step === draft.selected && { wrong: { option: problem.option, failure: failure! } })}
                onChange={(name, value) => setDraft(known => withOption(known, known.selected, name, pass!.fields[name]!, value))}
                onInvalid={markInvalid}
              />
              {goesByPart(pass) && (
                <SensitivityPane
                  key={selected.key}
                  view={sensitivity}
                  question={{ step: recipe.steps[draft.selected]!, calibration, format }}
                  exclude={optionOf(selected, 'exclude', pass!.fields.exclude!) as readonly string[]}
                  onExclude={exclude =>
                    setDraft(known => withOption(known, known.selected, 'exclude', pass!.fields.exclude!, exclude))
                  }
                  onMeasure={question => void host.api.measureSensitivity(question)}
                  onCancel={() => void host.api.cancelSensitivity()}
                  onLog={() => void host.api.showLog()}
                  title={sensitivityTitle}
                />
              )}
              <CalibrationField
                value={calibration}
                failure={problem?.at === 'calibration' ? failure : undefined}
                onChange={setCalibration}
              />
            </>
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
        <RunningFooter name={out.split(/[\\/]/).at(-1) ?? out} cancelling={work.cancelling} onCancel={run.cancel} />
      ) : (
        <Footer
          out={out}
          format={format}
          steps={draft.steps.length}
          canRun={why === undefined}
          why={why}
          onOut={path => {
            setOut(path);
            setFormat(formatOf(path) ?? format);
          }}
          onFormat={next => {
            setFormat(next);
            if (out !== proposed) setOut(withEnding(out, next));
          }}
          onBrowse={async () => {
            const chosen = await host.api.chooseOut(out).catch(() => null);
            if (chosen === null) return;
            setOut(chosen);
            setFormat(formatOf(chosen) ?? format);
          }}
          onCopyCommand={() => void host.api.copyCommand(recipe, out, calibration)}
          onSaveRecipe={() => void host.api.saveRecipe(recipe)}
          onRun={start}
          runButton={element => {
            runButton.current = element;
          }}
        />
      )}
      <p class="sr" aria-live="polite">
        {run.announcement}
      </p>
    </main>
  );
}

const controls = 'vscode-radio[tabindex="0"], vscode-dropdown, vscode-text-field, vscode-checkbox, textarea';

function Heading({ view, after, stale }: { view: CompressView; after: number | undefined; stale: boolean }) {
  return (
    <header class="hdr">
      <h1>{t('Compress')}</h1>
      <span class="what clip">
        <bdi>{visibleName(view.name)}</bdi> · {t('{n} parameters', { n: view.parameters })} · {bytesText(view.fileBytes)}
      </span>
      {after !== undefined && (
        <span class={stale ? 'tot dr stale' : 'tot dr'}>
          <span>
            <b>{bytesText(after)}</b> <span class="muted">{changeShare(view.fileBytes, after)}</span>
          </span>
        </span>
      )}
    </header>
  );
}

/** The name of the result follows the recipe, unless the person gave it one. */
function useProposal(recipe: Recipe, format: CompressView['format'], off: boolean, take: (path: string) => void): void {
  const question = JSON.stringify([recipe.steps, format]);
  const asked = useRef(question);
  useEffect(() => {
    if (off || asked.current === question) return;
    asked.current = question;
    let isLatest = true;
    host.api.proposeOut(recipe, format).then(
      path => isLatest && take(path),
      () => undefined,
    );
    return () => {
      isLatest = false;
    };
  }, [question, off]);
}

/** "Quantize" for one step, "3 steps" for more. */
function titleOf(view: CompressView, { steps }: Draft): string {
  const pass = view.passes.find(({ id }) => id === steps[0]?.pass);
  if (steps.length === 1) return pass ? say(pass.title) : steps[0]!.pass;
  return t('{n} steps', { n: count(steps.length) });
}

/** Ctrl+Enter, or Cmd+Enter, runs. */
function useRunKey(start: () => void): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      start();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  });
}

function without(names: ReadonlySet<string>, name: string): ReadonlySet<string> {
  const rest = new Set(names);
  rest.delete(name);
  return rest;
}
