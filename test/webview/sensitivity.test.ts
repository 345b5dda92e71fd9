// biome-ignore-all lint/performance/useDomNodeTextContent: what a person reads is the rendered text
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { sentence } from '../../src/core/errors.ts';
import type { CompressView, Recipe, SensitivityQuestion, SensitivityView } from '../../src/protocol/messages.ts';
import { compressView, dryRun, tenPasses } from './compress-views.ts';
import {
  accessibilityFindings,
  launch,
  type OpenedPage,
  openPage,
  type PageOptions,
  setTheme,
  skipReason,
  themes,
} from './page.ts';
import { sensitivityOf, stepOf } from './sensitivities.ts';

const asked = (
  parts: 'layers' | 'matrices' = 'matrices',
  options: Readonly<Record<string, unknown>> = {},
): SensitivityQuestion => ({
  ...{ step: stepOf(options), parts, calibration: '', format: 'safetensors' },
});
const done = (parts: 'layers' | 'matrices' = 'matrices', options: Readonly<Record<string, unknown>> = {}): SensitivityView => ({
  ...{ state: 'done', asked: asked(parts, options), sensitivity: sensitivityOf(parts) },
});
const failed: SensitivityView = {
  state: 'failed',
  asked: asked(),
  failure: {
    code: 'unsupported',
    message: 'onnxruntime cannot load this model',
    sentence: sentence('onnxruntime cannot load this model: {cause}', { cause: 'no such type' }),
    file: 'model.onnx',
  },
};
const running: SensitivityView = {
  ...{ state: 'running', asked: asked(), elapsedMs: 4000 },
  progress: { fraction: 0.42, what: 'encoder.layer.3.attention.self.query' },
};

describe('what each layer costs', { skip: skipReason ?? false }, () => {
  let browser: Browser;
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());

  async function shown(
    view: Partial<CompressView>,
    run: (opened: OpenedPage) => Promise<void>,
    options: Partial<PageOptions> = {},
  ): Promise<void> {
    const opened = await openPage(browser, {
      page: 'compress',
      api: {
        view: () => compressView(view),
        dryRun: (recipe: Recipe) => dryRun(recipe),
        proposeOut: () => '/models/minilm/model.int8.safetensors',
        measureSensitivity: () => undefined,
        cancelSensitivity: () => undefined,
        sensitivityShown: () => undefined,
        showLog: () => undefined,
      },
      ...options,
    });
    try {
      await opened.page.waitForSelector('.end');
      await run(opened);
      assert.deepEqual(opened.errors, []);
    } finally {
      await opened.close();
    }
  }
  const excluded = async (opened: OpenedPage): Promise<unknown> => {
    await opened.page.waitForTimeout(120);
    return (opened.calls.findLast(call => call.method === 'dryRun')!.args[0] as Recipe).steps[0]!.options.exclude;
  };
  const cell = ({ page }: OpenedPage, layer: number, column: number) =>
    page
      .locator('.costs [role=row]')
      .filter({ hasText: `Layer ${layer}` })
      .locator('[role=gridcell]')
      .nth(column);

  test('nothing is measured before the person asks; the question is the step without what it leaves out', () =>
    shown({ recipe: { version: 1, steps: [stepOf({ scheme: 'int4', exclude: ['*.query'] })] } }, async opened => {
      assert.equal(opened.calls.filter(({ method }) => method === 'measureSensitivity').length, 0);
      await opened.page.getByRole('radio', { name: 'Each layer' }).click();
      await opened.page.locator('.cost vscode-button').click();
      const [question] = opened.calls.find(({ method }) => method === 'measureSensitivity')!.args;
      assert.deepEqual(question, {
        ...{ step: { pass: 'quantize', options: { scheme: 'int4' } }, parts: 'layers', calibration: '', format: 'safetensors' },
      });
    }));

  test('only steps that can be kept to a part have it', () =>
    shown({ passes: tenPasses, recipe: { version: 1, steps: [{ pass: 'prune-heads', options: {} }] } }, async ({ page }) => {
      assert.equal(await page.locator('.cost').count(), 0);
    }));

  test('it tells how far it is, and Cancel stops it', () =>
    shown({ sensitivity: running }, async opened => {
      const { page } = opened;
      assert.equal(await page.locator('.cost [role=progressbar]').getAttribute('aria-valuenow'), '42');
      assert.match(await page.locator('.cost').innerText(), /encoder\.layer\.3\.attention\.self\.query/);
      await opened.screenshot('sensitivity-running-dark-1200');
      await page.locator('.cost vscode-button').click();
      assert.ok(opened.calls.some(({ method }) => method === 'cancelSensitivity'));
      opened.emit('sensitivity', { state: 'none', cancelled: true } satisfies SensitivityView);
      await page.waitForSelector('text=Cancelled.');
      opened.emit('sensitivity', failed);
      await page.waitForSelector('.cost .err');
      assert.match(await page.locator('.cost .err').innerText(), /model\.onnx: onnxruntime cannot load this model: no such type/);
      await opened.screenshot('sensitivity-failed-dark-1200');
      assert.deepEqual(await accessibilityFindings(page), []);
    }));

  test('a click leaves a cell, a layer or a column out of the step, another puts it back; the sizes follow', () =>
    shown({ sensitivity: done() }, async opened => {
      const { page } = opened;
      await cell(opened, 3, 4).click();
      assert.deepEqual(await excluded(opened), ['encoder.layer.3.intermediate.dense']);
      assert.equal(await cell(opened, 3, 4).getAttribute('aria-selected'), 'true');
      await page.getByRole('rowheader', { name: 'Layer 3' }).click();
      assert.deepEqual(await excluded(opened), ['encoder.layer.3']);
      await page.getByRole('columnheader', { name: 'Value' }).click();
      assert.deepEqual(await excluded(opened), ['encoder.layer.3', 'encoder.layer.*.attention.self.value']);
      assert.match(await page.locator('.cost').innerText(), /11 of 38 parts are left out: \d+\.\d.% of the sum/);
      await cell(opened, 3, 0).click();
      const left = (await excluded(opened)) as string[];
      assert.equal(left.length, 6);
      assert.ok(!left.includes('encoder.layer.3.attention.self.query'));
      await page.getByRole('button', { name: 'Put all back' }).click();
      assert.equal(await excluded(opened), undefined);
    }));

  test('keys do the same: arrows go through heads and cells, Enter and Space toggle, and one place is in the tab order', () =>
    shown({ sensitivity: done() }, async opened => {
      const { page } = opened;
      assert.equal(await page.locator('.costs [tabindex="0"]').count(), 1);
      await page.locator('.costs [tabindex="0"]').focus();
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowRight');
      assert.match((await page.locator(':focus').getAttribute('aria-label')) ?? '', /^Layer 0, Key: drift 4e−5 · /);
      await page.keyboard.press('Enter');
      assert.deepEqual(await excluded(opened), ['encoder.layer.0.attention.self.key']);
      await page.keyboard.press(' ');
      assert.equal(await excluded(opened), undefined);
      await page.keyboard.press('Home');
      await page.keyboard.press('Enter');
      assert.deepEqual(await excluded(opened), ['encoder.layer.0']);
      assert.equal(await page.locator('.costs [tabindex="0"]').count(), 1);
    }));

  test('a part that the step leaves alone says why, and a click on it does nothing', () =>
    shown({ sensitivity: done() }, async opened => {
      const skipped = opened.page.locator('.costs .skipped');
      assert.match((await skipped.getAttribute('aria-label'))!, /^Embeddings, Token type: Too small to gain/);
      await skipped.click({ force: true });
      assert.equal(await excluded(opened), undefined);
    }));

  test('the table has the same numbers, the most costly part first', () =>
    shown({ sensitivity: done() }, async opened => {
      const { page } = opened;
      await page.getByText('As a table').click();
      const rows = page.locator('.as-table tbody tr');
      assert.equal(await rows.count(), 39);
      assert.match(await rows.first().innerText(), /^Layer 5, Up\s/);
      assert.match(await rows.last().innerText(), /^Embeddings, Token type\s+Too small/);
      await page.getByRole('button', { name: 'Leave “Layer 5, Up” out' }).click();
      assert.deepEqual(await excluded(opened), ['encoder.layer.5.intermediate.dense']);
      await page.getByRole('button', { name: 'Put “Layer 5, Up” back' }).click();
      assert.equal(await excluded(opened), undefined);
    }));

  test('numbers of other options say so', () =>
    shown({ sensitivity: done('layers', { scheme: 'int4' }) }, async ({ page }) => {
      assert.match(await page.locator('.cost').innerText(), /measured with other options/);
    }));

  test('the host brings the person to it, in a step that goes by part', () =>
    shown(
      {
        ...{ passes: tenPasses, showsSensitivity: true, sensitivity: done() },
        recipe: { version: 1, steps: [stepOf(), { pass: 'prune-heads', options: {} }] },
      },
      async opened => {
        await opened.page.waitForFunction(() => document.activeElement?.id === 'cost-title');
        assert.equal(await opened.page.evaluate(() => document.scrollingElement!.scrollTop), 0, 'the pane scrolls, not the page');
        assert.ok(opened.calls.some(({ method }) => method === 'sensitivityShown'));
      },
    ));

  for (const width of [1200, 700, 420])
    test(`nothing is cut off and nothing is inaccessible at ${width} px, in any theme`, () =>
      shown(
        { sensitivity: done(), recipe: { version: 1, steps: [stepOf({ exclude: ['encoder.layer.4', '*.query'] })] } },
        async opened => {
          const { page } = opened;
          await page.waitForSelector('.costs .off');
          await page.locator('#cost-title').scrollIntoViewIfNeeded();
          await page.evaluate(() => document.querySelector('#cost-title')!.scrollIntoView());
          for (const theme of themes) {
            await setTheme(page, theme);
            // The toolkit's controls follow a frame later.
            await page.waitForTimeout(100);
            assert.deepEqual(await accessibilityFindings(page), [], theme);
            await opened.screenshot(`sensitivity-${theme}-${width}`);
          }
          const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
          assert.ok(over <= 0, `${over} px too wide`);
        },
        { width, height: 900 },
      ));
});
