import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { summarize } from '../../src/core/report/summary.ts';
import type { Summary } from '../../src/core/report/tree.ts';
import { toFailure } from '../../src/core/session/failure.ts';
import { openPath } from '../../src/core/session/open.ts';
import { editorApi, failed, ready } from './editor-views.ts';
import { launch, openPage, skipReason } from './page.ts';
import { many } from './summaries.ts';

// The files of test/bench/size.mjs, in the page: opened by the core, shown, scrolled from end to end.

const folder = mkdtempSync(join(tmpdir(), 'headroom-large-page-'));
let browser: Browser;
let sizes: Record<string, (folder: string) => string>;
before(async () => {
  if (skipReason) return;
  browser = await launch();
  ({ sizes } = (await import(join(import.meta.dirname, '../bench/size-files.mjs'))) as { sizes: typeof sizes });
});
after(async () => {
  rmSync(folder, { recursive: true, force: true });
  await browser?.close();
});
const skip = skipReason ?? false;

/** As many as make every step of scrolling show other rows than the one before. */
const fewTensors = 4000;

async function summaryOf(what: string): Promise<Summary> {
  const opened = await openPath(sizes[what]!(folder));
  try {
    return summarize(opened.model, opened.anatomy);
  } finally {
    await opened.close();
  }
}

/** Shows a view in a page that is open. As text: the browser protocol takes long over an object of 18 MB. */
const show = (page: Page, view: unknown): Promise<void> =>
  page.evaluate(text => window.postMessage({ kind: 'event', name: 'view', body: JSON.parse(text) }, '*'), JSON.stringify(view));

const rowCount = (page: Page): Promise<number> =>
  page.evaluate(() => Number(document.querySelector('[role=treegrid]')?.getAttribute('aria-rowcount')));

/** Opens every row beside the focused one, which makes thousands of rows of a model with thousands of layers. */
async function openAll(page: Page): Promise<void> {
  await page.locator('.tr.body').first().click();
  await page.keyboard.press('*');
}

/** 60 steps over the whole height: milliseconds of the median step, and the most rows that were in the page. */
const scroll = (page: Page): Promise<{ median: number; most: number }> =>
  page.evaluate(async () => {
    const table = document.querySelector('[role=treegrid]')!;
    const step = (table.scrollHeight - table.clientHeight) / 60;
    const took: number[] = [];
    let most = 0;
    for (let at = 0; at < 60; at++) {
      const start = performance.now();
      table.scrollTop = at * step;
      await new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)));
      took.push(performance.now() - start);
      most = Math.max(most, table.querySelectorAll('.tr.body').length);
    }
    return { median: took.sort((a, b) => a - b)[30]!, most };
  });

test('50,000 tensors, flat or as layers, of either format: at most 80 rows in the page, and a step of scrolling takes at most 3 times as long as through 4,000', {
  skip,
}, async () => {
  const opened = await openPage(browser, { page: 'editor', api: editorApi(ready(many(fewTensors))) });
  const { page } = opened;
  try {
    await page.waitForSelector('.tr.body');
    const small = await scroll(page);
    for (const what of Object.keys(sizes).filter(each => each.startsWith('50,000'))) {
      const summary = await summaryOf(what);
      await show(page, ready(summary));
      await page.waitForFunction(name => document.querySelector('.hdr')?.textContent?.includes(name), summary.file.name);
      await openAll(page);
      const large = await scroll(page);
      assert.ok(await rowCount(page), what);
      assert.ok(large.most > 0 && large.most <= 80, `${what}: ${large.most} rows`);
      assert.ok(
        large.median < 3 * Math.max(small.median, 16),
        `${what}: ${large.median.toFixed(1)} ms against ${small.median.toFixed(1)}`,
      );
    }
    assert.deepEqual(opened.errors, []);
  } finally {
    await opened.close();
  }
});

test('three million nodes: the page says the limit', { skip }, async () => {
  const failure = await summaryOf('3,000,000 nodes').then(() => assert.fail('it was opened'), toFailure);
  assert.equal(failure.code, 'limit');
  const opened = await openPage(browser, { page: 'editor', api: editorApi({ ...failed, failure } as typeof failed) });
  try {
    await opened.page.waitForFunction(() => /up to about a million nodes/.test(document.body.textContent ?? ''));
  } finally {
    await opened.close();
  }
});
