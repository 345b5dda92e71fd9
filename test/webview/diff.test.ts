// biome-ignore-all lint/performance/useDomNodeTextContent: what a person reads is the rendered text
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import type { Comparison } from '../../src/core/report/comparison.ts';
import type { DiffView, MatrixDiff } from '../../src/protocol/messages.ts';
import { comparison as comparisonOf, group, hostile, huge, int8, leaf, made, pruned, unchanged } from './diff-comparisons.ts';
import { heatMapOf, weightLike } from './insides.ts';
import { accessibilityFindings, launch, type OpenedPage, openPage, type PageOptions, skipReason, themes } from './page.ts';

const ready = (comparison: Comparison, over: Partial<Extract<DiffView, { state: 'ready' }>> = {}): DiffView => ({
  state: 'ready',
  comparison,
  made: made(comparison),
  changedOnDisk: false,
  ...over,
});
const names = { before: 'model.safetensors', after: 'model.int8.safetensors' };
const opening: DiffView = {
  state: 'opening',
  names,
  progress: { fraction: 0.42, what: 'encoder.layer.3.output', bytesDone: 42e6, bytesTotal: 90e6 },
};
const failed: DiffView = {
  state: 'failed',
  names,
  failure: {
    code: 'truncated',
    message: 'model.onnx: cut short',
    file: 'model.onnx',
    offset: 812,
    sentence: { text: 'This file is cut short.' },
    hint: { text: 'Download it again.' },
  },
};
const quiet = {
  copyMarkdown: () => {},
  saveReport: () => {},
  copyCommand: () => {},
  openResult: () => {},
  openOriginal: () => {},
  copyText: () => {},
  reload: () => {},
  showLog: () => {},
  matrixDiff: (): unknown => null,
};

describe('the diff page', { skip: skipReason ?? false }, () => {
  let browser: Browser;
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());

  async function shown(
    view: DiffView,
    run: (opened: OpenedPage) => Promise<void>,
    options: Partial<PageOptions> = {},
  ): Promise<void> {
    const opened = await openPage(browser, { page: 'diff', api: { ...quiet, view: () => view }, ...options });
    try {
      await opened.page.waitForSelector('h1');
      await run(opened);
      assert.deepEqual(opened.errors, []);
    } finally {
      await opened.close();
    }
  }
  const rowNames = ({ page }: OpenedPage): Promise<string[]> => page.locator('.tr.body .t').allTextContents();
  const focusedRow = ({ page }: OpenedPage) => page.evaluate(() => (document.activeElement as HTMLElement | null)?.dataset.id);

  test('the totals say size and parameters exactly, and that quality and speed were not measured', () =>
    shown(ready(int8()), async ({ page }) => {
      const totals = (await page.locator('.totals').textContent())!.replaceAll('\u00a0', ' ');
      for (const said of ['23.0 MB', 'from 90.9 MB', '−74.6 %', '3.94 × smaller', '22,713,216'])
        assert.ok(totals.includes(said), said);
      assert.equal(totals.match(/Not measured/g)?.length, 2);
      assert.deepEqual(await page.locator('.chip').allTextContents(), ['39 changed', '39 added', '1 removed', '64 same']);
    }));

  test('a row says its change, both sizes, type and error; a new tensor says new', () =>
    shown(ready(int8()), async ({ page }) => {
      await page.click('[data-id="pooler"] .tw');
      await page.click('[data-id="pooler.dense"] .tw');
      const text = async (id: string) => (await page.locator(`[data-id="${id}"]`).allInnerTexts()).join(' ').replace(/\s+/g, ' ');
      assert.match(
        await text('pooler.dense.weight'),
        /~ ?changed ?weight 590KB 147KB −442KB −75\.0 % fp32 → int8 \d\.\d % 0\.999\d\d/,
      );
      assert.match(await text('pooler.dense.weight_scale'), /\+ ?added ?weight_scale – 1\.5KB \+1\.5KB new fp32/);
      assert.match(await text('pooler'), /≤ \d\.\d % ≥ 0\.999\d\d/, 'a group gives the bound of what is inside');
      assert.match((await page.locator('.tr.foot').innerText()).replace(/\s+/g, ' '), /Total 90\.9MB 23\.0MB −67\.8MB −74\.6 %/);
    }));

  test('chips and "Only changed" filter the rows, the count and the live region follow, the total does not', () =>
    shown(ready(int8()), async opened => {
      const { page } = opened;
      await page.click('.chip >> text=1 removed');
      assert.deepEqual(await rowNames(opened), ['Buffer']);
      assert.equal(await page.locator('.count').innerText(), '1 of 143');
      assert.equal(await page.locator('[aria-live]').innerText(), '1 of 143 tensors');
      assert.equal(await page.locator('.chip[aria-pressed="true"]').count(), 1);
      await page.click('.chip >> text=1 removed');
      await page.click('vscode-checkbox');
      assert.equal(await page.locator('.count').innerText(), '79 of 143');
      assert.ok(!(await rowNames(opened)).includes('LayerNorm'));
      assert.match(await page.locator('.tr.foot').innerText(), /90\.9/);
      await page.click('vscode-checkbox');
      assert.equal(await page.locator('.count').innerText(), '143');
    }));

  test('the filter opens the way to what it finds; Ctrl+F goes to it, Esc empties it and then goes to the table', () =>
    shown(ready(int8()), async opened => {
      const { page } = opened;
      await page.keyboard.press('Control+f');
      await page.keyboard.type('layer.3.attention.self.query');
      await page.waitForFunction(() => document.querySelector('.count')?.textContent === '3 of 143');
      assert.deepEqual(await rowNames(opened), ['Encoder', 'Layer 3', 'Attention', 'Query']);
      await page.keyboard.press('Escape');
      await page.waitForFunction(() => document.querySelector('.count')?.textContent === '143');
      await page.keyboard.press('Escape');
      assert.equal(await focusedRow(opened), 'embeddings');
      await page.keyboard.press('Control+f');
      await page.keyboard.type('nothing at all');
      await page.waitForSelector('text=No tensor matches.');
    }));

  test('a column head sorts, again reverses, a third time gives back model order; the choice beside it follows', () =>
    shown(ready(int8()), async opened => {
      const { page } = opened;
      const inModelOrder = await rowNames(opened);
      const head = page.locator('[role=columnheader]', { hasText: 'Name' });
      await head.locator('button').click();
      assert.equal(await head.getAttribute('aria-sort'), 'ascending');
      assert.deepEqual((await rowNames(opened))[0], 'Buffer');
      await head.locator('button').click();
      assert.equal(await head.getAttribute('aria-sort'), 'descending');
      await head.locator('button').click();
      assert.deepEqual(await rowNames(opened), inModelOrder);
      await page.locator('[role=columnheader]', { hasText: 'After' }).last().locator('button').click();
      await page.waitForFunction(() => document.querySelector<HTMLInputElement>('vscode-dropdown')?.value === 'column');
    }));

  test('"Largest error" puts the worst matrix first and opens the way to it', () =>
    shown(ready(int8()), async opened => {
      const { page } = opened;
      await page.locator('vscode-dropdown').click();
      await page.locator('vscode-option', { hasText: 'Largest error' }).click();
      const worst = [...int8().rows].filter(row => row.error).sort((a, b) => b.error!.relative - a.error!.relative)[0]!;
      const first = page.locator('.tr.body:not([aria-expanded])').first();
      assert.equal(await first.getAttribute('data-id'), worst.id);
    }));

  test('the table is one tab stop; arrows move, open and close, Enter selects and the details are exact', () =>
    shown(ready(pruned()), async opened => {
      const { page } = opened;
      assert.equal(await page.locator('[role=treegrid] [tabindex="0"]').count(), 1);
      await page.locator('[data-id="embeddings"]').focus();
      await page.keyboard.press('End');
      await page.keyboard.press('Home');
      for (const key of ['e', 'n', 'c']) await page.keyboard.press(key);
      assert.equal(await focusedRow(opened), 'encoder');
      for (let press = 0; press < 5; press++) await page.keyboard.press('ArrowRight');
      assert.equal(await focusedRow(opened), 'encoder.layer.0.attention.self.query');
      await page.keyboard.press('Enter');
      await page.waitForSelector('.details');
      const details = (await page.locator('.details').innerText()).replace(/\s+/g, ' ');
      assert.match(details, /Query changed encoder\.layer\.0\.attention\.self\.query/);
      assert.match(details, /Bytes 591,360 112,896 −478,464/);
      assert.match(details, /Shape 384 × 384 288 × 384/);
      assert.match(details, /Error \d\.\d\d\d % Cosine 0\.\d+ Largest 0\.00\d+/);
      await page.click('[aria-label="Copy id"]');
      await page.click('[aria-label="Close details"]');
      assert.equal(await page.locator('.details').count(), 0);
      assert.deepEqual(opened.calls.findLast(({ method }) => method === 'copyText')?.args, [
        'encoder.layer.0.attention.self.query',
      ]);
      assert.equal(await focusedRow(opened), 'encoder.layer.0.attention.self.query');
    }));

  test('what was opened, filtered, sorted and selected is there again after a reload', () =>
    shown(ready(int8()), async opened => {
      const { page } = opened;
      await page.click('[data-id="encoder.layer.5"] .tw');
      await page.click('[data-id="encoder.layer.5.attention"]');
      await page.click('.chip >> text=39 changed');
      await page.locator('[role=columnheader]', { hasText: '%' }).locator('button').click();
      const was = await rowNames(opened);
      await page.reload();
      await page.waitForSelector('.tr.body');
      assert.deepEqual(await rowNames(opened), was);
      assert.equal(await page.locator('.tr[aria-selected="true"]').getAttribute('data-id'), 'encoder.layer.5.attention');
      assert.equal(await page.locator('.chip[aria-pressed="true"]').innerText(), '39 changed');
      assert.equal(await page.locator('[role=columnheader]', { hasText: '%' }).getAttribute('aria-sort'), 'ascending');
    }));

  test('every command reaches the host; Copy command is offered only when it is known how the result was made', async () => {
    await shown(ready(int8()), async ({ page, calls }) => {
      for (const title of ['Copy as Markdown', 'Save report…', 'Copy command', 'Open result'])
        await page.click(`.commands vscode-button >> text=${title}`);
      await page.click('.side .link >> nth=0');
      assert.deepEqual(
        calls.map(call => call.method),
        ['view', 'copyMarkdown', 'saveReport', 'copyCommand', 'openResult', 'openOriginal'],
      );
    });
    await shown(ready(int8(), { made: null }), async ({ page }) => {
      assert.equal(await page.locator('text=Copy command').count(), 0);
      assert.equal(await page.locator('text=How this was made').count(), 0);
    });
    await shown(
      ready(int8()),
      async ({ page, calls }) => {
        await page.click('[aria-label="More commands"]');
        await page.keyboard.press('ArrowDown');
        await page.keyboard.press('Enter');
        assert.equal(calls.at(-1)?.method, 'saveReport');
        assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('aria-label')), 'More commands');
      },
      { width: 420 },
    );
  });

  test('how it was made: recipe, time, peak, and what was left alone by reason; heads only where they differ', async () => {
    await shown(ready(pruned()), async ({ page }) => {
      const side = (await page.locator('.side').innerText()).replace(/\s+/g, ' ');
      assert.match(side, /Heads 72 → 54 .*Layer 0 12 → 9 Layer 1 12 → 4/);
      assert.match(side, /Step 1 Quantize int8, embedding_bits 8 Took 1\.8 s, peak 212\.0 MB/);
      assert.match(side, /Left alone 51 50 a bias is too small to gain/);
    });
    await shown(ready(int8()), async ({ page }) => {
      assert.match(await page.locator('.side').innerText(), /The same on both sides: 72 heads in 6 layers\./);
    });
  });

  test('two equal models say that nothing changed, with the skipped list, and still show their tensors when asked', () =>
    shown(ready(unchanged()), async ({ page }) => {
      assert.match(await page.locator('.state').innerText(), /Nothing changed\s+All 104 tensors are the same on both sides/);
      assert.match(await page.locator('.state').innerText(), /768 values: nothing to gain/);
      await page.click('text=Show all tensors');
      await page.waitForSelector('.tr.body');
    }));

  test('files changed on disk: a banner, and Reload asks the host; a new view replaces the old one', () =>
    shown(ready(int8()), async opened => {
      const { page } = opened;
      opened.emit('view', ready(int8(), { changedOnDisk: true }));
      await page.click('.banner vscode-button');
      assert.equal(opened.calls.at(-1)?.method, 'reload');
      opened.emit('view', opening);
      await page.waitForSelector('.opening >> text=encoder.layer.3.output · 42.0 MB of 90.0 MB');
      opened.emit('view', failed);
      await page.waitForSelector('text=These models could not be compared');
      assert.match(
        await page.locator('[role=alert]').innerText(),
        /model\.onnx: This file is cut short\. \(byte 812\)\s+Download it again\./,
      );
      await page.click('text=Show log');
      assert.equal(opened.calls.at(-1)?.method, 'showLog');
    }));

  test('names from files are text: nothing in them runs, turns the reading direction or breaks the row', () =>
    shown(ready(hostile(), { made: null }), async ({ page }) => {
      assert.equal(await page.locator('script:not([type="application/json"]):not([src])').count(), 0);
      assert.equal(await page.locator('img').count(), 0);
      assert.match(await page.locator('.tr.body bdi').first().innerText(), /^<script>alert\(1\)<\/script>.*␀/);
      assert.ok((await page.locator('.tr.body').last().boundingBox())!.height < 30);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth));
    }));

  test('20,000 rows: fewer than 120 in the page, and a step of scrolling takes at most 3 times as long as through 500', () =>
    shown(opening, async ({ page }) => {
      // As text: the browser protocol takes long over an object of this size.
      const view = JSON.stringify(ready(huge(), { made: null }));
      await page.evaluate(text => window.postMessage({ kind: 'event', name: 'view', body: JSON.parse(text) }, '*'), view);
      const rows = (count: number) =>
        page.waitForFunction(
          wanted => Number(document.querySelector('[role=treegrid]')?.getAttribute('aria-rowcount')) >= wanted,
          count,
        );
      /** Milliseconds a step takes at the median, over the whole height. */
      const scroll = (): Promise<number> =>
        page.evaluate(async () => {
          const table = document.querySelector('[role=treegrid]')!;
          const step = (table.scrollHeight - table.clientHeight) / 30;
          const took: number[] = [];
          for (let at = 0; at < 30; at++) {
            const start = performance.now();
            table.scrollTop = at * step;
            await new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)));
            took.push(performance.now() - start);
          }
          return took.sort((a, b) => a - b)[15]!;
        });
      for (const layer of [3, 2, 1]) await page.click(`[data-id="encoder.layer.${layer}"] .tw`);
      await rows(500);
      const few = await scroll();
      await page.locator('[role=treegrid]').evaluate(table => table.scrollTo(0, 0));
      await page.locator('[data-id="encoder.layer.0"]').focus();
      await page.keyboard.press('*');
      await rows(20_203);
      const many = await scroll();
      assert.ok(many < 3 * Math.max(few, 16), `${many} ms against ${few} ms`);
      assert.ok((await page.locator('.tr.body').count()) < 120);
    }));

  test('no part of the page is wider than its panel, from 300 to 1,600 px', () =>
    shown(ready(pruned()), async ({ page }) => {
      await page.waitForSelector('.tr.body');
      for (const width of [1600, 1440, 1200, 1120, 960, 700, 640, 560, 420, 300]) {
        await page.setViewportSize({ width, height: 800 });
        await page.waitForTimeout(50);
        const wide = await page.evaluate(() =>
          [document.documentElement, ...document.querySelectorAll('[role=treegrid], .hdr, .toolbar, .totals > div, .side')]
            .filter(element => element.scrollWidth > element.clientWidth)
            .map(element => `${element.className} ${element.scrollWidth} in ${element.clientWidth}`),
        );
        assert.deepEqual(wide, [], String(width));
      }
    }));

  test('axe finds nothing serious or critical in any state, four themes, at 1,200 and 420 px', async () => {
    const states: Record<string, DiffView> = {
      int8: ready(int8()),
      pruned: ready(pruned(), { changedOnDisk: true }),
      same: ready(unchanged()),
      opening,
      failed,
    };
    for (const theme of themes)
      await shown(
        opening,
        async opened => {
          for (const [name, view] of Object.entries(states)) {
            opened.emit('view', view);
            if (name === 'pruned') await opened.page.click('[data-id="embeddings.word_embeddings"]');
            for (const width of [1200, 420]) {
              await opened.page.setViewportSize({ width, height: width === 420 ? 1000 : 800 });
              await opened.page.waitForTimeout(name === 'opening' ? 250 : 100);
              assert.deepEqual(await accessibilityFindings(opened.page), [], `${name} ${theme} ${width}`);
              if (name === 'pruned') await opened.screenshot(`diff-${theme}-${width}`);
            }
          }
        },
        { theme },
      );
  });

  const weight = 'encoder.layer.1.attention.self.query';
  /** Values and a copy of them in steps, as the engine would say it of both. */
  function matrixDiff(_id: string, request: { channel?: number; rows: number; columns: number }): MatrixDiff {
    const before = heatMapOf(weightLike(384, 384, 32), request);
    const cells = before.cells.map(cell => (cell ?? 0) * 0.01);
    return {
      before,
      after: { ...before, acting: true },
      difference: { ...before, heads: undefined as never, cells, from: before.from * 0.01, to: before.to * 0.01 },
      histogram: { from: -0.3, to: 0.3, counts: Array.from({ length: 96 }, (_, at) => 100 - Math.abs(48 - at)) },
      worst: { channel: 107, relative: 0.0123 },
      channels: 384,
      channel: request.channel ?? 107,
      levels: Array.from({ length: 40 }, (_, at) => ({ value: (at - 20) * 0.01, count: 1 + (at % 5) })),
    };
  }

  test('a chosen matrix is drawn before, after and their difference, with the levels of the worst channel or of another', () =>
    shown(
      ready(int8()),
      async ({ page, calls }) => {
        for (const id of ['encoder.layer.1', 'encoder.layer.1.attention']) await page.click(`[data-id="${id}"] .tw`);
        await page.click(`[data-id="${weight}"]`);
        await page.waitForSelector('.matrix canvas');
        assert.deepEqual(await page.locator('.matrix h3').allTextContents(), [
          'Original',
          'Compressed, as it acts',
          'Difference',
          'Values and the levels they may take',
        ]);
        const [original, compressed] = await page.locator('.matrix [role=img]').evaluateAll(all => all.map(it => it.ariaLabel));
        assert.match(original!, /^Original: 384 rows by 384 columns, from 0\.\d+ to 0\.\d+\.$/);
        assert.equal(original!.split(', from')[1], compressed!.split(', from')[1], 'one scale for both');
        const said = async () => (await page.locator('.levels figcaption').innerText()).replace(/\s+/g, ' ');
        assert.equal(
          await said(),
          'Grey: all values before. Blue: channel 107 after, each line one of its 40 levels. The worst channel is 107: error 1.23 %.',
        );
        assert.equal(await page.locator('.levels .level').count(), 40);
        await page.locator('.levels input').fill('12');
        await page.keyboard.press('Enter');
        await page.waitForFunction(() => document.querySelector('.levels figcaption')?.textContent?.includes('channel 12 after'));
        assert.deepEqual((calls.at(-1)!.args as unknown[]).slice(0, 2), [weight, { rows: 48, columns: 48, channel: 12 }]);
        await page.click('.levels .link');
        await page.waitForFunction(() =>
          document.querySelector('.levels figcaption')?.textContent?.includes('channel 107 after'),
        );
        await page.click('[data-id="encoder.layer.1"]');
        assert.equal(await page.locator('.matrix').count(), 0, 'a layer is no matrix');
        await page.click(`[data-id="${weight}"]`);
        await page.waitForSelector('.matrix canvas');
        assert.deepEqual(await accessibilityFindings(page), []);
      },
      { api: { ...quiet, view: () => ready(int8()), matrixDiff } },
    ));

  test('removed heads are struck out in their places when it is known how the model was made; else the counts say it', async () => {
    const comparison = pruned();
    const gone = [[6, 8, 11], [0, 1, 2, 5, 6, 9, 10, 11], [2, 7, 9, 11], [5], [5, 9], []];
    const edits = gone.flatMap((heads, layer) =>
      heads.length === 0
        ? []
        : [{ kind: 'remove-heads', target: `encoder.layer.${layer}.attention`, before: `heads ${heads.join(', ')}`, after: '' }],
    );
    const told = made(comparison);
    const view = { ...ready(comparison), made: { ...told, report: { ...told.report, edits } } } as DiffView;
    await shown(view, async ({ page }) => {
      assert.equal(await page.locator('.hg .cell.off').count(), 18);
      assert.equal(await page.locator('.hg .cell.stays').count(), 54);
      assert.equal(await page.locator('.hg .cell.off').first().getAttribute('title'), 'Layer 0, head 6, removed');
      await page.waitForSelector('text=18 of 72 heads removed.');
      assert.deepEqual(await accessibilityFindings(page), []);
    });
    const kept = gone.map(heads => Array.from({ length: 12 }, (_, head) => head).filter(head => !heads.includes(head)));
    await shown(
      { ...ready({ ...comparison, heads: { ...comparison.heads, kept } }), made: null } as DiffView,
      async ({ page }) => {
        assert.equal(await page.locator('.hg .cell.off').count(), 18, 'by config.json alone');
        assert.equal(await page.locator('.hg .cell.off').first().getAttribute('title'), 'Layer 0, head 6, removed');
      },
    );
    const other = { ...ready(comparison), made: { ...told, report: { ...told.report, edits: edits.slice(1) } } } as DiffView;
    for (const each of [other, ready(comparison)])
      await shown(each, async ({ page }) => {
        assert.equal(await page.locator('.hg').count(), 0);
        assert.match((await page.locator('table.heads').textContent())!, /Layer 012 → 9/);
      });
  });

  test('how it was made names the calibration text, and options as they are typed', () => {
    const comparison = int8();
    const told = { ...made(comparison), calibration: '/texts/train.txt' };
    const step = { pass: 'prune-heads', options: { remove: { 0: [1], 3: [0, 2] }, fraction: null, by: 'auto', exclude: [] } };
    const view = ready(comparison, { made: { ...told, recipe: { version: 1, steps: [step] } } });
    return shown(view, async ({ page }) => {
      const said = (await page.locator('.side .kv').last().innerText()).replace(/\s+/g, ' ');
      assert.match(said, /^Step 1 Prune heads remove 0:1 3:0,2, auto Text train\.txt Took /);
    });
  });

  test('a factored matrix is drawn as its two thin ones, to scale', () => {
    const id = 'encoder.layer.0.intermediate.dense';
    const part = (shape: readonly number[]) => ({ dtype: 'fp32', shape });
    const node = {
      ...group(id, 'linear', 'Up', [
        group(`${id}.first`, 'linear', 'First', [leaf(`${id}.first.weight`, null, part([51, 128]))]),
        group(`${id}.second`, 'linear', 'Second', [leaf(`${id}.second.weight`, null, part([512, 51]))]),
        leaf(`${id}.weight`, part([512, 128]), null),
      ]),
    };
    const children = node.children!.map(child =>
      child.id.endsWith('.weight') ? child : { ...child, after: { ...child.after!, ...child.children![0]!.after! } },
    );
    const root = group('model', 'model', 'Model', [{ ...node, children }]);
    const view = ready(comparisonOf(root, { before: [], after: [] }, { before: 'a.onnx', after: 'b.onnx' }));
    return shown(view, async ({ page }) => {
      await page.click(`[data-id="${id}"]`);
      await page.waitForSelector('.factors svg');
      const said = (await page.locator('.factors figcaption').innerText()).replace(/\s+/g, ' ');
      assert.equal(said, '512 × 128 → 512 × 51 · 51 × 128 Rank 51: 32,640 parameters in place of 65,536, 50 %.');
      const sizes = await page
        .locator('.factors rect')
        .evaluateAll(all => all.map(it => [Number(it.getAttribute('width')), Number(it.getAttribute('height'))]));
      const [matrix, second, first] = sizes as [number, number][];
      assert.ok(Math.abs(second![0]! / matrix![0]! - 51 / 128) < 0.01 && second![1] === matrix![1]);
      assert.ok(Math.abs(first![1]! / matrix![1]! - 51 / 512) < 0.01 && first![0] === matrix![0]);
    });
  });
});
