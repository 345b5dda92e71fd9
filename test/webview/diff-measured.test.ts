// biome-ignore-all lint/performance/useDomNodeTextContent: what a person reads is the rendered text
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { driftFloor, driftHeight, driftTicks } from '../../webview/layout/diff-drift.ts';
import { int8, made } from './diff-comparisons.ts';
import { measurements } from './measurements.ts';
import { accessibilityFindings, launch, type OpenedPage, openPage, type PageOptions, skipReason, themes } from './page.ts';

const comparison = int8();
const view = (measurement: unknown) => ({
  state: 'ready',
  comparison,
  made: made(comparison),
  changedOnDisk: false,
  measurement,
});
const said = async ({ page }: OpenedPage, selector: string): Promise<string> =>
  (await page.locator(selector).allInnerTexts()).join(' ').replace(/\s+/g, ' ');

test('a drift axis begins at the first of 0.99, 0.95, 0.9, 0.5, 0 that holds every mean and every worst text', () => {
  const floorOf = (...values: (number | null)[]) => driftFloor(values.map(min => ({ mean: null, min })));
  assert.deepEqual(
    [0.995, 0.99, 0.98, 0.93, 0.6, 0.3, -0.2, null].map(value => floorOf(1, value)),
    [0.99, 0.99, 0.95, 0.9, 0.5, 0, 0, 0.99],
  );
  assert.deepEqual(driftTicks(0.5), [1, 0.75, 0.5]);
  assert.equal(driftHeight(-0.2, 0), 0, 'below the axis is on its edge');
});

describe('the diff page, measured', { skip: skipReason ?? false }, () => {
  let browser: Browser;
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());

  async function shown(
    measurement: unknown,
    run: (opened: OpenedPage) => Promise<void>,
    options: Partial<PageOptions> = {},
  ): Promise<void> {
    const nothing = () => {};
    const api = { view: () => view(measurement), measure: nothing, cancelMeasuring: nothing, openAttention: nothing };
    const opened = await openPage(browser, { page: 'diff', api, ...options });
    try {
      await opened.page.waitForSelector('.totals');
      await run(opened);
      assert.deepEqual(opened.errors, []);
    } finally {
      await opened.close();
    }
  }

  test('what was predicted stands beside what was measured', () =>
    shown(
      measurements.done,
      async opened => {
        assert.match(
          await said(opened, '.totals'),
          /0\.987 cosine to the original predicted without repair ≈ 0\.981 · worst 0\.943/,
        );
      },
      { api: { view: () => ({ ...view(measurements.done), predicted: 0.9815 }) } },
    ));

  test('the totals say cosine, agreement, speed with tokens and threads, and load time; nothing is "not measured" any more', () =>
    shown(measurements.done, async opened => {
      const totals = await said(opened, '.totals');
      for (const words of [
        '0.987 cosine to the original',
        'worst 0.943 · 99.9 % same predictions',
        '64 texts · Headroom’s own sentences, English',
        '7.2 ms from 10.4 ms',
        '1.44 × faster · loads in 62.0 ms 1 × 128 tokens, 2 threads',
      ])
        assert.ok(totals.includes(words), `${words} in ${totals}`);
      const page = await said(opened, 'body');
      assert.ok(!page.includes('Not measured'));
      assert.match(
        page,
        /How this was measured When .*2026.* Load time 140 ms → 62\.0 ms Memory 312\.0 MB at its peak, with both models With onnxruntime-node/,
      );
      assert.match(page, /2 empty lines were left out\./);
      await opened.page.click('text=Measure…');
      assert.equal(opened.calls.at(-1)?.method, 'measure');
    }));

  test('the chart reads out what keys and pointer point at, and has a table that says the same', () =>
    shown(measurements.done, async ({ page }) => {
      const read = () => page.locator('.drift .read').innerText();
      assert.equal(await read(), 'Layer 5: mean 0.988, worst 0.946');
      await page.locator('.plot').focus();
      await page.keyboard.press('Home');
      assert.equal(await read(), 'Embeddings: mean 1, worst 1');
      await page.keyboard.press('ArrowRight');
      assert.equal(await page.locator('.plot').getAttribute('aria-valuetext'), 'Layer 0: mean 0.998, worst 0.991');
      const box = (await page.locator('.plot').boundingBox())!;
      await page.mouse.move(box.x + (box.width * 3.5) / 7, box.y + 20);
      assert.equal(await read(), 'Layer 2: mean 0.994, worst 0.973');
      assert.equal(await page.locator('.drift tbody tr').count(), 7);
    }));

  test('the sentences that moved most stand with both predictions, as text and nothing else', () =>
    shown(measurements.done, async ({ page }) => {
      const rows = await page.locator('.texts tbody tr').allInnerTexts();
      assert.match(rows[0]!, /The path is steep and stony, so wear proper shoes\.\s+0\.943\s+0\s+1/);
      assert.equal(await page.locator('.texts b').count(), 0);
    }));

  test('while it is measured there is a meter and a Cancel; what follows replaces it without sending the rows again', () =>
    shown(measurements.running, async opened => {
      const { page } = opened;
      assert.equal(await page.locator('.totals [role=progressbar]').getAttribute('aria-valuenow'), '42');
      await page.click('.totals >> text=Cancel');
      assert.equal(opened.calls.at(-1)?.method, 'cancelMeasuring');
      opened.emit('measurement', measurements.cancelled);
      await page.waitForSelector('text=Cancelled.');
      opened.emit('measurement', measurements.done);
      await page.waitForSelector('.drift-chart');
      assert.match(await page.locator('[aria-live]').innerText(), /Measured\. Cosine to the original 0\.987/);
      opened.emit('measurement', measurements.changed);
      await page.waitForSelector('text=The model has changed since.');
      assert.equal(opened.calls.filter(call => call.method === 'view').length, 1);
    }));

  test('what stopped it, or kept it from beginning, is said where the number would stand', async () => {
    await shown(measurements.failed, async opened =>
      assert.match(await said(opened, '.totals'), /model\.int8\.onnx: The worker stopped while it ran this model\./),
    );
    await shown(measurements.untrusted, async opened =>
      assert.match(await said(opened, '.totals'), /Not measured A model is run only in a folder that is trusted\. Measure…/),
    );
  });

  test('axe finds nothing serious or critical in any state, and nothing is wider than the panel, four themes, at 1,200 and 420 px', async () => {
    for (const theme of themes)
      await shown(
        measurements.none,
        async opened => {
          for (const [name, measurement] of Object.entries(measurements)) {
            if (theme !== 'dark' && name !== 'done') continue;
            opened.emit('measurement', measurement);
            for (const width of [1200, 420]) {
              await opened.page.setViewportSize({ width, height: 900 });
              await opened.page.waitForTimeout(50);
              assert.ok(
                await opened.page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth),
                `${name} ${width}`,
              );
              if (name === 'done' || width === 1200)
                assert.deepEqual(await accessibilityFindings(opened.page), [], `${name} ${theme} ${width}`);
              if (name === 'done') await opened.screenshot(`diff-measured-${theme}-${width}`);
            }
          }
        },
        { theme },
      );
  });
});
