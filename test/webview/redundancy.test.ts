import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { createSession } from '../../src/core/session/session.ts';
import type { RedundancyView } from '../../src/protocol/messages.ts';
import { accessibilityFindings, launch, openPage, setTheme, skipReason, themes } from './page.ts';

const sample = join(import.meta.dirname, '../../media/sample/model.onnx');
const common = { name: 'model.onnx', fileBytes: 6_452_269, changedOnDisk: false };
const failure = { code: 'truncated' as const, message: 'cut short', sentence: { text: 'This file is cut short.' } };

describe('the redundancy page, on the sample', { skip: skipReason ?? false }, () => {
  let browser: Browser;
  let ready: RedundancyView;
  before(async () => {
    const session = createSession();
    ready = { ...common, state: 'ready', redundancy: await session.redundancy(sample), savings: await session.savings(sample) };
    browser = await launch();
  });
  after(() => browser?.close());

  const shown = async (view: RedundancyView, asked: string[] = [], width = 1200) =>
    openPage(browser, {
      page: 'redundancy',
      width,
      api: {
        view: () => view,
        run: () => void asked.push('run'),
        cancel: () => void asked.push('cancel'),
        openCompress: (pass: string) => void asked.push(pass),
        copyMarkdown: () => undefined,
        copyText: () => undefined,
        reload: () => undefined,
        showLog: () => undefined,
      },
    });

  test('nothing is read before the person asks; running can be cancelled', async () => {
    const asked: string[] = [];
    const idle = await shown({ ...common, state: 'idle' }, asked);
    await idle.page.getByRole('button', { name: /^Read/ }).click();
    await idle.close();
    const running = await shown({ ...common, state: 'running', progress: { fraction: 0.4, what: 'encoder.layer.1' } }, asked);
    assert.equal(await running.page.getByRole('progressbar').getAttribute('aria-valuenow'), '40');
    await running.page.getByRole('button', { name: 'Cancel' }).click();
    await running.close();
    assert.deepEqual(asked, ['run', 'cancel']);
  });

  test('results: a row for each saving, each matrix and each pair of layers; a saving opens Compress', async () => {
    const asked: string[] = [];
    const { page, close } = await shown(ready, asked);
    assert.ok(ready.state === 'ready');
    const { spectra, layers } = ready.redundancy;
    await page.getByRole('heading', { name: 'Rank of the matrices' }).waitFor();
    assert.equal(await page.locator('svg.curve').count(), spectra.length);
    assert.equal(await page.locator('table.similar:not(.small) tbody td').count(), layers!.size ** 2);
    await page.getByRole('button', { name: 'Compress…' }).first().click();
    assert.deepEqual(asked, ['quantize']);
    await page.screenshot({ path: join(import.meta.dirname, '../../out/webview/redundancy-dark-1200.png') });
    await close();
  });

  test('axe finds nothing serious in any state, four themes, wide and narrow', async () => {
    const states: RedundancyView[] = [{ ...common, state: 'idle' }, ready, { ...common, state: 'failed', failure }];
    for (const view of states) {
      for (const width of [1200, 420]) {
        const { page, close } = await shown(view, [], width);
        await page.locator('h1').waitFor();
        for (const theme of themes) {
          await setTheme(page, theme);
          assert.deepEqual(await accessibilityFindings(page), [], `${view.state} ${theme} ${width}`);
        }
        await close();
      }
    }
  });
});
