// biome-ignore-all lint/performance/useDomNodeTextContent: what a person reads is the rendered text
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import type { AttentionRequest, AttentionView } from '../../src/protocol/messages.ts';
import { cellSize, largestWeight, mostLookedAt, nextPair, smallSize } from '../../webview/layout/attention.ts';
import { attentionMaps } from './measurements.ts';
import { accessibilityFindings, launch, type OpenedPage, openPage, type PageOptions, skipReason, themes } from './page.ts';

const tokens = ['[CLS]', 'the', 'path', 'is', '<b>', 'stony', '[SEP]'];
const one: AttentionView = { names: ['model.onnx'], layer: 2, head: null, layers: [6], text: '' };
const two: AttentionView = { ...one, names: ['model.onnx', 'model.prune-heads.onnx'], head: 3, layers: [6, 5], text: 'The path' };

test('keys stay inside the map; the tokens looked at most come first, equal ones in their order', () => {
  assert.deepEqual(nextPair({ from: 0, to: 0 }, 'ArrowLeft', 4), { from: 0, to: 0 });
  assert.deepEqual(nextPair({ from: 0, to: 0 }, 'PageDown', 4), { from: 3, to: 0 });
  assert.deepEqual(nextPair({ from: 1, to: 1 }, 'End', 4), { from: 1, to: 3 });
  assert.equal(nextPair({ from: 1, to: 1 }, 'Tab', 4), undefined);
  assert.deepEqual(mostLookedAt([0, 0, 0, 0.2, 0.6, 0.2, 0, 0, 0], 3, 1, 2), [1, 0]);
  assert.deepEqual([8, 40, 512].map(cellSize), [20, 16, 12]);
  assert.equal(
    largestWeight(
      [
        {
          heads: [
            { head: 1, weights_TT: [0.2] },
            { head: 2, weights_TT: [0.4] },
          ],
        },
        null,
      ],
      1,
    ),
    0.2,
  );
  assert.equal(largestWeight([null], null), 1);
  assert.ok(smallSize(512) >= 512 && smallSize(8) <= 132);
});

describe('the attention page', { skip: skipReason ?? false }, () => {
  let browser: Browser;
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());

  async function shown(
    view: AttentionView,
    run: (opened: OpenedPage) => Promise<void>,
    options: Partial<PageOptions> & { fails?: boolean } = {},
  ): Promise<void> {
    const failure = { code: 'unsupported', message: '', sentence: { text: 'No probabilities were found.' }, file: 'model.onnx' };
    const attention = (request: AttentionRequest) => {
      if (options.fails) throw failure;
      // The second model has lost head 3.
      return view.names.map((_, index) => attentionMaps(tokens, request.layer, index === 0 ? [0, 1, 2, 3] : [0, 1, 2]));
    };
    const opened = await openPage(browser, {
      page: 'attention',
      api: { view: () => view, keep: () => {}, attention },
      ...options,
    });
    try {
      await opened.page.waitForSelector('h1');
      await run(opened);
      assert.deepEqual(opened.errors, []);
    } finally {
      await opened.close();
    }
  }
  const asked = ({ calls }: OpenedPage) => calls.filter(call => call.method === 'attention');

  test('nothing is run before there is a sentence; Enter asks, all heads are drawn, and a small one opens large', () =>
    shown(one, async opened => {
      const { page } = opened;
      assert.equal(asked(opened).length, 0);
      await page.locator('vscode-text-field').click();
      await page.keyboard.type('The path is stony');
      await page.keyboard.press('Enter');
      await page.waitForSelector('.small-maps');
      assert.deepEqual(asked(opened)[0]!.args[0], { text: 'The path is stony', layer: 2 });
      assert.equal(await page.locator('.small-maps canvas').count(), 4);
      await page.getByRole('button', { name: 'Head 1' }).click();
      await page.waitForSelector('.surface');
      assert.equal(asked(opened).length, 1, 'another head of the same layer is not run again');
      assert.deepEqual(opened.calls.at(-1), { method: 'keep', args: [2, 1, 'The path is stony'] });
    }));

  test('keys and pointer read out who looks at whom, and how much', () =>
    shown({ ...one, head: 2, text: 'The path' }, async ({ page }) => {
      await page.waitForSelector('.surface');
      const read = () => page.locator('.head-map .read').innerText();
      await page.locator('.surface').focus();
      await page.keyboard.press('ArrowDown');
      assert.equal(
        (await read()).replaceAll('\u00a0', ' '),
        'path looks at the: 80.0 %. Most at the 80.0 %, [CLS] 3.3 %, path 3.3 %.',
      );
      const box = (await page.locator('.surface').boundingBox())!;
      await page.mouse.move(box.x + 4.5 * 20, box.y + 5.5 * 20);
      assert.match(await read(), /^stony looks at <b>: 80\.0/);
      assert.equal(await page.locator('.attention b').count(), 0, 'tokens are text');
    }));

  test('two models stand side by side with one cursor; a head that one has lost is said', () =>
    shown(two, async ({ page }) => {
      await page.waitForSelector('.surface');
      const said = (await page.locator('.maps').innerText()).replace(/\s+/g, ' ');
      assert.match(said, /model\.onnx · Layer 2, head 3/);
      assert.match(said, /model\.prune-heads\.onnx · Layer 2 has no head 3/);
      await page.waitForSelector('text=a number need not mean the same head');
    }));

  test('what the model cannot do is said', () =>
    shown(
      { ...one, text: 'The path' },
      async ({ page }) => void (await page.waitForSelector('[role=alert] >> text=No probabilities were found.')),
      { fails: true },
    ));

  test('axe finds nothing serious or critical, and nothing is wider than the panel, four themes, at 1,200 and 420 px', async () => {
    for (const theme of themes)
      for (const view of [{ ...one, text: 'The path' }, two])
        await shown(
          view,
          async opened => {
            await opened.page.waitForSelector('canvas');
            for (const width of [1200, 420]) {
              await opened.page.setViewportSize({ width, height: 800 });
              await opened.page.waitForTimeout(50);
              assert.ok(await opened.page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), `${width}`);
              assert.deepEqual(await accessibilityFindings(opened.page), [], `${view.names.length} ${theme} ${width}`);
            }
            await opened.screenshot(`attention-${theme}-${view.names.length}`);
          },
          { theme },
        );
  });
});
