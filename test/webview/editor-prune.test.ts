import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { Scores, ScoresQuestion } from '../../src/protocol/messages.ts';
import { lowestFirst, removeOf } from '../../webview/layout/unit-scores.ts';
import { editorApi, ready, states } from './editor-views.ts';
import { scoresFor } from './insides.ts';
import { accessibilityFindings, launch, type OpenedPage, openPage, type PageOptions, skipReason, themes } from './page.ts';
import { minilm, pruned } from './summaries.ts';

let browser: Browser;
before(async () => {
  if (!skipReason) browser = await launch();
});
after(() => browser?.close());
const skip = skipReason ?? false;

async function withPage(check: (opened: OpenedPage) => Promise<void>, more: Partial<PageOptions> = {}): Promise<void> {
  const opened = await openPage(browser, { page: 'editor', api: editorApi(ready(minilm())), ...more });
  try {
    await opened.page.waitForSelector('.p-heads, [role=tab]');
    await check(opened);
    assert.deepEqual(opened.errors, []);
  } finally {
    await opened.close();
  }
}

const show = (page: Page, unit: 'Heads' | 'Neurons' | 'Whole layers') =>
  page.getByRole('radiogroup', { name: 'What is shown and pruned' }).getByRole('radio', { name: unit }).click();
const colour = (page: Page, name: string) =>
  page.getByRole('radiogroup', { name: 'Colour of the heads' }).getByRole('radio', { name }).click();
const textOf = async (page: Page, selector: string): Promise<string> =>
  (await page.locator(selector).allInnerTexts()).join(' ').replace(/\s+/g, ' ');
const selectedHeads = (page: Page): Promise<string[]> =>
  page
    .locator('.hg .cell[aria-selected="true"]')
    .evaluateAll(cells => cells.map(cell => `${(cell as HTMLElement).dataset.layer} ${(cell as HTMLElement).dataset.head}`));
const questions = ({ calls }: OpenedPage): ScoresQuestion[] =>
  calls.filter(({ method }) => method === 'scores').map(({ args }) => args[0] as ScoresQuestion);
const lastCompress = ({ calls }: OpenedPage) => calls.filter(({ method }) => method === 'openCompress').at(-1)?.args;

test(
  'nothing is scored before it is asked for; by magnitude it is done at once, and the number is on every head',
  {
    skip,
  },
  () =>
    withPage(async opened => {
      const { page } = opened;
      await page.waitForTimeout(300);
      assert.deepEqual(questions(opened), []);
      await colour(page, 'Score');
      const { layers } = scoresFor('prune-heads', 'magnitude', null);
      await page.locator('.hg .cell[aria-label*="score"]').first().waitFor();
      assert.deepEqual(questions(opened), [{ pass: 'prune-heads', by: 'magnitude', text: null }]);
      const label = await page.locator('.hg .cell[data-layer="2"][data-head="3"]').getAttribute('aria-label');
      assert.match(label!, new RegExp(`score ${layers[2]!.scores[3]!.toPrecision(3)}`));
      assert.match(await textOf(page, '.p-heads .scale'), /what a head is worth, log scale/);
    }),
);

test(
  'the slider selects the lowest heads in the grid, with the exact size and the predicted loss; the form gets these very heads',
  {
    skip,
  },
  () =>
    withPage(async opened => {
      const { page } = opened;
      await page.locator('#prune-share').fill('18');
      await page.waitForFunction(() => document.querySelectorAll('.hg .cell[aria-selected="true"]').length === 18);
      const order = lowestFirst(scoresFor('prune-heads', 'magnitude', null).layers);
      const lowest = order.slice(0, 18).map(({ layer, unit }) => `${layer} ${unit}`);
      assert.deepEqual((await selectedHeads(page)).sort(), lowest.sort());
      await page.locator('.prune .trial >> text=exact').waitFor();
      assert.match(
        await textOf(page, '.prune'),
        /18 heads selected · 886,464 parameters · 3\.5 MB 87\.3 MB from 90\.9 MB · −3\.9 %/,
      );
      assert.match(await textOf(page, '.predicted'), /Predicted loss: Not measured/);
      await page.getByRole('button', { name: 'Predict the loss' }).click();
      await page.locator('.predicted >> text=≈').waitFor();
      assert.match(await textOf(page, '.predicted'), /Predicted: cosine ≈ 0\.987 without repair, from runs on 64 sentences$/);
      await page.getByRole('button', { name: /^Prune selected 18 heads/ }).click();
      assert.deepEqual(lastCompress(opened), [
        { pass: 'prune-heads', options: { remove: removeOf(order.slice(0, 18)) } },
        '',
        0.9875,
      ]);
      await page.locator('.hg .cell[data-layer="5"][data-head="3"]').click({ modifiers: ['Control'] });
      await page.locator('.predicted >> text=if these were the lowest').waitFor();
      assert.equal(await page.locator('#prune-share').inputValue(), '19');
    }),
);

test('a score that takes text waits to be asked, can be cancelled, says what failed, and takes another text', {
  skip,
}, async () => {
  let answer: () => Scores | Promise<Scores> = () => new Promise(() => undefined);
  const api = { ...editorApi(ready(minilm())), scores: () => answer() };
  await withPage(
    async opened => {
      const { page } = opened;
      await colour(page, 'Score');
      await page.locator('.score-choice vscode-dropdown').click();
      await page.locator('.score-choice vscode-option', { hasText: 'reconstruction' }).click();
      await page.locator('.score-choice >> text=It takes running the model on text.').waitFor();
      const asked = questions(opened).length;
      await page.getByRole('button', { name: 'Compute' }).click();
      await page.locator('.score-choice >> text=Running the model on text…').waitFor();
      assert.deepEqual(questions(opened).slice(asked), [{ pass: 'prune-heads', by: 'reconstruction', text: '' }]);
      await opened.screenshot('prune-scores-running');
      await page.locator('.score-choice').getByRole('button', { name: 'Cancel' }).click();
      await page.locator('.score-choice >> text=Cancelled.').waitFor();
      answer = () => {
        throw { code: 'unsupported', message: 'no', sentence: { text: 'There is no tokenizer beside this model.' } };
      };
      await page.locator('.score-choice').getByRole('button', { name: 'Choose…' }).click();
      await page.locator('.score-choice >> text=mine.txt').waitFor();
      await page.getByRole('button', { name: 'Compute' }).click();
      await page.locator('.score-choice [role=alert]', { hasText: 'There is no tokenizer beside this model.' }).waitFor();
      await opened.screenshot('prune-scores-failed');
      assert.deepEqual(await accessibilityFindings(page), []);
      assert.equal(questions(opened).at(-1)!.text, '/texts/mine.txt');
      answer = () => scoresFor('prune-heads', 'reconstruction', 'mine');
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.locator('.hg .cell[aria-label*="score"]').first().waitFor();
    },
    { api },
  );
});

test(
  'neurons: a cut that keys and the mouse move, of every layer alike as a share, of all layers as the very neurons',
  {
    skip,
  },
  () =>
    withPage(async opened => {
      const { page } = opened;
      await show(page, 'Neurons');
      const curve = page.getByRole('slider', { name: 'Cut through the neurons’ scores' });
      await curve.focus();
      await page.keyboard.press('PageUp');
      await page.keyboard.press('ArrowRight');
      await page.locator('.cut .trial >> text=exact').waitFor();
      assert.match((await curve.getAttribute('aria-valuetext'))!, /^11\s% of the neurons of every layer$/);
      assert.match(await textOf(page, '.cut'), /parameters fewer · exact/);
      const fraction = Math.round((Number(await curve.getAttribute('aria-valuenow')) / 9216) * 1e4) / 1e4;
      await page.getByRole('button', { name: 'Prune 11 % of the neurons…' }).click();
      assert.deepEqual(lastCompress(opened), [{ pass: 'prune-neurons', options: { fraction, by: 'magnitude' } }, null]);
      await page.getByRole('radio', { name: 'Lowest of all layers' }).click();
      const box = (await curve.locator('svg').boundingBox())!;
      await page.mouse.move(box.x + 50, box.y + 60);
      await page.mouse.down();
      await page.mouse.move(box.x + 150, box.y + 60, { steps: 5 });
      await page.mouse.up();
      const cut = Number(await curve.getAttribute('aria-valuenow'));
      assert.ok(cut > 1500 && cut < 5000, `${cut}`);
      assert.match((await curve.getAttribute('aria-valuetext'))!, /of 9,216 neurons, of scores up to/);
      await page.getByRole('button', { name: /^Prune [\d,]+ neurons…/ }).click();
      const remove = removeOf(lowestFirst(scoresFor('prune-neurons', 'magnitude', null).layers).slice(0, cut));
      assert.deepEqual(lastCompress(opened), [{ pass: 'prune-neurons', options: { remove } }, null]);
    }),
);

test('layers: marked in the list or by the slider, one stays at least', { skip }, () =>
  withPage(async opened => {
    const { page } = opened;
    await show(page, 'Whole layers');
    await page.locator('#prune-layers-share').fill('2');
    const order = lowestFirst(scoresFor('prune-layers', 'position', null).layers, 0);
    const two = order
      .slice(0, 2)
      .map(({ layer }) => layer)
      .sort((a, b) => a - b);
    assert.equal(await page.locator('#prune-layers-share').getAttribute('max'), '5');
    await page.getByRole('button', { name: 'Remove 2 layers…' }).click();
    assert.deepEqual(lastCompress(opened), [{ pass: 'prune-layers', options: { remove: two } }, null]);
    await page.getByRole('checkbox', { name: `Layer ${two[0]}` }).click();
    await page.getByRole('button', { name: `Remove layer ${two[1]}…` }).waitFor();
    await page.locator('.cut >> text=1,774,464 parameters fewer').waitFor();
  }),
);

const l10n = join(import.meta.dirname, '../../l10n');
const parts = existsSync(join(l10n, 'parts')) ? readdirSync(join(l10n, 'parts')).map(name => join('parts', name)) : [];
const chinese = Object.assign(
  {},
  ...['bundle.l10n.zh-cn.json', ...parts].map(name => JSON.parse(readFileSync(join(l10n, name), 'utf8'))),
) as Record<string, string>;

for (const [theme, width, locale] of [...themes.map(theme => [theme, 420, 'en'] as const), ['light', 1200, 'zh-cn'] as const])
  test(
    `heads, neurons and layers have no serious axe finding and no sideways scrolling: ${theme}, ${width} px, ${locale}`,
    {
      skip,
    },
    () =>
      withPage(
        async opened => {
          const { page } = opened;
          if (width < 560) await page.locator('#tab-heads').click();
          for (const [at, name] of ['heads', 'neurons', 'layers'].entries()) {
            await page.locator('.p-heads .seg').first().getByRole('radio').nth(at).click();
            if (at === 0) await page.locator('.p-heads .seg').nth(1).getByRole('radio').nth(3).click();
            await page.locator('.score-choice .btn').click();
            if (at === 0) await page.locator('#prune-share').fill('18');
            if (at === 1) await page.locator('.cut-curve').press('PageUp');
            if (at === 2) await page.locator('#prune-layers-share').fill('2');
            await page.locator('.trial:not(.stale)').waitFor();
            await page.locator('.predicted >> text=≈').waitFor();
            await opened.screenshot(`prune-${name}-${theme}-${width}-${locale}`);
            assert.deepEqual(await accessibilityFindings(page), []);
            const over = await page.locator('.p-heads').evaluate(pane => pane.scrollWidth - pane.clientWidth);
            assert.ok(over <= 0, `${name}: ${over} px too wide`);
          }
        },
        { theme, width, locale, ...(locale !== 'en' && { bundle: chinese }) },
      ),
  );

test('a model that lost heads already keeps the last of each layer', { skip }, () =>
  withPage(
    async ({ page }) => {
      const { heads } = pruned();
      assert.equal(await page.locator('#prune-share').getAttribute('max'), String(heads.length - 6));
    },
    { api: editorApi(ready(pruned())) },
  ),
);

test('a head count that nothing states is given in the banner, and a refusal is said there', { skip }, async () => {
  const asked: number[] = [];
  const stateHeads = (heads: number) => {
    asked.push(heads);
    if (heads === 7) throw { code: 'usage', message: '', sentence: { text: '384 cannot be split into 7 heads.' } };
  };
  await withPage(
    async opened => {
      const { page } = opened;
      const field = page.getByRole('textbox', { name: 'Heads in each layer' });
      await field.fill('7');
      await field.press('Enter');
      await page.locator('.banner [role=alert]', { hasText: '384 cannot be split into 7 heads.' }).waitFor();
      await opened.screenshot('head-count');
      assert.deepEqual(await accessibilityFindings(page), []);
      await field.fill('12');
      await page.getByRole('button', { name: 'Save in config.json' }).click();
      assert.deepEqual(asked, [7, 12]);
      // Neurons and layers can be looked at meanwhile.
      await show(page, 'Neurons');
    },
    { api: { ...editorApi(states['head count unknown']!()), stateHeads } },
  );
});
