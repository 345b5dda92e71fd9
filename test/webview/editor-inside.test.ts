import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { sentence } from '../../src/core/errors.ts';
import type { HeatMapRequest, ProgressEvent, ValuesRequest } from '../../src/protocol/messages.ts';
import { editorApi, ready } from './editor-views.ts';
import { heatMapOf, statisticsOf, valuesOf, weightLike } from './insides.ts';
import { accessibilityFindings, launch, type OpenedPage, openPage, setTheme, skipReason, themes } from './page.ts';
import { minilm, notBert, tensor } from './summaries.ts';

let browser: Browser;
before(async () => {
  if (!skipReason) browser = await launch();
});
after(() => browser?.close());
const skip = skipReason ?? false;

const weight = 'encoder.layer.3.attention.self.query.weight';
const matrix = weightLike(384, 384, 32);
type Api = Record<string, (...args: never[]) => unknown>;
interface Options {
  readonly signal: AbortSignal;
  readonly progress: (event: ProgressEvent) => void;
}

async function withPage(
  check: (opened: OpenedPage) => Promise<void>,
  {
    api = {},
    summary = minilm(),
    width = 1200,
    height = 1000,
  }: { api?: Api; summary?: ReturnType<typeof minilm>; width?: number; height?: number } = {},
): Promise<void> {
  const opened = await openPage(browser, { page: 'editor', api: { ...editorApi(ready(summary)), ...api }, width, height });
  try {
    await opened.page.waitForSelector('.tr.body');
    await check(opened);
    assert.deepEqual(opened.errors, []);
  } finally {
    await opened.close();
  }
}

/** Finds a tensor by the filter, which opens the rows above it, and selects it. */
async function select({ page }: OpenedPage, id: string): Promise<void> {
  await page.keyboard.press('Control+f');
  await page.keyboard.insertText(id.replace(/\.weight$/, ''));
  await page.locator(`.tr.body[data-id="${id}"]`).click();
}
const callsOf = ({ calls }: OpenedPage, method: string) => calls.filter(call => call.method === method);
const told = ({ page }: OpenedPage) => page.locator('.heat .told').textContent();
const never = (_tensor: string, { signal }: Options): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));

test('a selected tensor shows its statistics; its organ shows those of its weight', { skip }, () =>
  withPage(async opened => {
    const { page } = opened;
    await select(opened, weight);
    await page.waitForSelector('.stats');
    const text = (await page.locator('.inside').textContent())!;
    assert.match(text, /Range−0\.348 to 0\.288.*Mean−3\.2e−5.*Std0\.0359.*Zeros0/);
    assert.match(text, /1.%−0\.091.*Median1\.1e−4.*99.%0\.089/);
    assert.match(text, /147,456 values · 0 zeros · all finite/);
    await page.getByRole('button', { name: 'Copy statistics' }).click();
    const { min, mean } = statisticsOf(matrix);
    const copied = callsOf(opened, 'copyText').at(-1)!.args[0] as string;
    assert.ok(copied.startsWith(`Values\t147456\nMinimum\t${min}\nMaximum\t`) && copied.includes(`\nMean\t${mean}\n`), copied);
    await page.locator(`.tr.body[data-id="encoder.layer.3.attention.self.query"]`).click();
    await page.waitForSelector('.of');
    assert.equal(await page.locator('.of').textContent(), 'Inside weight 384 × 384');
    await page.waitForSelector('.stats');
    assert.equal(callsOf(opened, 'statistics').length, 1, 'what was read is kept');
  }),
);

test('rows passed within 150 ms are not read, and what is left before it is read is cancelled', { skip }, async () => {
  const signals = new Map<string, AbortSignal>();
  const statistics = (name: string, options: Options): Promise<never> => {
    signals.set(name, options.signal);
    return never(name, options);
  };
  await withPage(
    async opened => {
      const { page } = opened;
      const rows = ['position_embeddings', 'token_type_embeddings', 'word_embeddings'].map(name => `embeddings.${name}.weight`);
      await page.evaluate(ids => {
        for (const id of ids) document.querySelector<HTMLElement>(`[data-id="${id}"].tr`)!.click();
      }, rows);
      await page.waitForSelector('.inside [role=progressbar]');
      assert.deepEqual([...signals.keys()], ['embeddings.word_embeddings.weight']);
      await page.locator('.tr.body[data-id="encoder"]').click();
      await page.waitForFunction(() => document.querySelector('.inside') === null);
      await page.waitForTimeout(50);
      assert.equal(signals.get('embeddings.word_embeddings.weight')!.aborted, true);
    },
    { api: { statistics: statistics as never } },
  );
});

test('after 0.2 s a meter says how much is read; cancelled, it can be begun again', { skip }, async () => {
  const statistics = (name: string, options: Options): Promise<never> => {
    setTimeout(() => options.progress({ fraction: 0.4, what: name }), 20);
    return never(name, options);
  };
  await withPage(
    async opened => {
      const { page } = opened;
      await page.locator('.tr.body[data-id="embeddings.word_embeddings.weight"]').click();
      const meter = page.getByRole('progressbar', { name: 'Reading 46.9 MB' });
      await meter.waitFor();
      assert.equal(await meter.getAttribute('aria-valuenow'), '40');
      await page.locator('.inside').getByRole('button', { name: 'Cancel' }).click();
      assert.match((await page.locator('.inside .failed').textContent())!, /^Cancelled\./);
      await page.locator('.inside').getByRole('button', { name: 'Compute' }).click();
      await meter.waitFor();
      assert.equal(callsOf(opened, 'statistics').length, 2);
    },
    { api: { statistics: statistics as never } },
  );
});

test('a tensor over 256 MB is read only when asked for; a failure is one sentence', { skip }, async () => {
  const statistics = (): never => {
    throw { code: 'io', message: 'gone', sentence: sentence('The file could not be read.'), hint: sentence('Open it again.') };
  };
  await withPage(
    async opened => {
      const { page } = opened;
      await page.locator('.tr.body[data-id="big"]').click();
      assert.match((await page.locator('.inside').textContent())!, /Takes reading 409\.6.MB\.Compute/);
      await page.waitForTimeout(250);
      assert.equal(callsOf(opened, 'statistics').length, 0);
      await page.getByRole('button', { name: 'Compute' }).click();
      const alert = page.locator('.inside').getByRole('alert');
      assert.match((await alert.textContent())!, /The file could not be read\. Open it again\./);
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.waitForTimeout(300);
      await alert.waitFor();
      assert.equal(callsOf(opened, 'statistics').length, 2);
    },
    { api: { statistics: statistics as never }, summary: notBert([tensor('big', [100_000, 1024], { title: 'big' })]) },
  );
});

test('keys go along the bars of the histogram; its scale comes back after hiding', { skip }, () =>
  withPage(async opened => {
    const { page } = opened;
    await select(opened, weight);
    const histogram = page.getByRole('slider', { name: 'Histogram of 147,456 values' });
    await histogram.focus();
    await page.keyboard.press('Home');
    const first = await histogram.getAttribute('aria-valuetext');
    assert.match(first!, /^−0\.348 to −0\.338: \d+ values$/);
    assert.equal(await page.locator('.histogram figcaption').textContent(), first);
    await page.keyboard.press('ArrowRight');
    assert.match((await histogram.getAttribute('aria-valuetext'))!, /^−0\.338 to −0\.328/);
    const heights = (): Promise<number[]> =>
      page.locator('.histogram rect').evaluateAll(bars => bars.map(bar => Number(bar.getAttribute('height'))));
    const linear = await heights();
    await page.getByRole('radio', { name: 'Log' }).click();
    assert.ok((await heights()).filter((height, bar) => height > linear[bar]!).length > 30);
    await page.waitForTimeout(150);
    await page.reload();
    await page.waitForSelector('.histogram');
    assert.equal(await page.getByRole('radio', { name: 'Log' }).getAttribute('aria-checked'), 'true');
  }),
);

test('the heat map begins with 48 x 48 blocks and ends at the values themselves, with heads marked', { skip }, () =>
  withPage(async opened => {
    const { page } = opened;
    await select(opened, weight);
    const map = page.getByRole('application');
    await map.waitFor();
    assert.match(
      (await map.getAttribute('aria-label'))!,
      /Query · weight, 384 rows by 384 columns: root mean square of blocks from 0\.\d+ to 0\.\d+\./,
    );
    assert.deepEqual(
      await page.locator('.heads-of span').allTextContents(),
      Array.from({ length: 12 }, (_, head) => String(head)),
    );
    const { cells } = heatMapOf(matrix, { rows: 48, columns: 48 });
    const box = (await map.boundingBox())!;
    await map.hover({ position: { x: (box.width * 10.5) / 48, y: (box.height * 21.5) / 48 } });
    assert.equal(await told(opened), `rows 168 to 175, columns 80 to 87, head 5: ${Number(cells[21 * 48 + 10]!.toPrecision(4))}`);

    await map.focus();
    for (let press = 0; press < 3; press++) await page.keyboard.press('+');
    await page.getByText('single values').waitFor();
    assert.deepEqual((callsOf(opened, 'heatMap').at(-1)!.args[1] as HeatMapRequest).window, {
      top: 168,
      bottom: 216,
      left: 168,
      right: 216,
    });
    await map.hover({ position: { x: (box.width * 3.5) / 48, y: (box.height * 7.5) / 48 } });
    const value = Number(matrix.at(175, 171).toPrecision(4));
    assert.equal(await told(opened), `row 175, column 171, head 5: ${String(value).replace('-', '−')}`);
    await page.keyboard.press('Shift+ArrowRight');
    await page.waitForFunction(() => document.querySelector('.heat .told')!.textContent!.includes('column 183'));
    await page.keyboard.press('0');
    await page.getByText('RMS, blocks of 8 × 8').waitFor();
  }),
);

test('arrow keys go from cell to cell of the heat map, Enter zooms into the cell, Escape out again', { skip }, () =>
  withPage(async opened => {
    const { page } = opened;
    await select(opened, weight);
    const map = page.getByRole('application');
    await map.focus();
    assert.equal(await page.locator('.heat .cursor').count(), 0);
    await page.keyboard.press('ArrowLeft');
    const { cells } = heatMapOf(matrix, { rows: 48, columns: 48 });
    const value = (cell: number): string => String(Number(cells[cell]!.toPrecision(4)));
    assert.equal(await told(opened), `rows 192 to 199, columns 192 to 199, head 6: ${value(24 * 48 + 24)}`);
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowDown');
    assert.equal(await told(opened), `rows 200 to 207, columns 184 to 191, head 6: ${value(25 * 48 + 23)}`);
    const frame = (await page.locator('.heat .cursor').boundingBox())!;
    const box = (await map.boundingBox())!;
    assert.ok(Math.abs(frame.x + frame.width / 2 - box.x - (box.width * 23.5) / 48) < 2);
    for (let press = 0; press < 3; press++) await page.keyboard.press('Enter');
    await page.getByText('single values').waitFor();
    await page.waitForFunction(() => /^row \d+, column \d+, head/.test(document.querySelector('.heat .told')!.textContent!));
    const [, row, column] = /^row (\d+), column (\d+)/.exec((await told(opened))!)!;
    assert.ok(Number(row) >= 200 && Number(row) < 208 && Number(column) >= 184 && Number(column) < 192, `${row}, ${column}`);
    for (let press = 0; press < 60; press++) await page.keyboard.press('ArrowLeft');
    await page.waitForFunction(() => /^row \d+, column 1[23]\d,/.test(document.querySelector('.heat .told')!.textContent!));
    for (let press = 0; press < 3; press++) await page.keyboard.press('Escape');
    await page.getByText('RMS, blocks of 8 × 8').waitFor();
  }),
);

test('the largest cell has the full colour of the theme, the smallest hardly any, and a new theme paints anew', { skip }, () =>
  withPage(async opened => {
    const { page } = opened;
    await select(opened, weight);
    await page.waitForSelector('.heat canvas');
    const { cells } = heatMapOf(matrix, { rows: 48, columns: 48 });
    const ends = [Math.max, Math.min].map(end => cells.indexOf(end(...cells.map(cell => cell ?? 0))));
    const pixels = (): Promise<number[][]> =>
      page.locator('.heat canvas').evaluate(
        (canvas, places) =>
          places.map(cell => {
            const { width, height } = canvas as HTMLCanvasElement;
            const [x, y] = [((cell % 48) + 0.5) / 48, (Math.floor(cell / 48) + 0.5) / 48];
            const context = (canvas as HTMLCanvasElement).getContext('2d')!;
            return [...context.getImageData(Math.floor(x * width), Math.floor(y * height), 1, 1).data.slice(0, 3)];
          }),
        ends,
      );
    const [most, least] = await pixels();
    assert.deepEqual(most, [55, 148, 255]);
    assert.ok(
      least!.every((channel, at) => Math.abs(channel - [31, 31, 31][at]!) < 24),
      String(least),
    );
    await setTheme(page, 'light');
    await page.waitForTimeout(50);
    const [, pale] = await pixels();
    assert.ok(
      pale!.every(channel => channel > 200),
      String(pale),
    );
  }),
);

test('the wheel zooms around the pointer, dragging moves, and a wheel that scrolls the pane goes on scrolling', { skip }, () =>
  withPage(
    async opened => {
      const { page } = opened;
      await select(opened, weight);
      const map = page.getByRole('application');
      await map.scrollIntoViewIfNeeded();
      await page.waitForTimeout(350);
      const box = (await map.boundingBox())!;
      await page.mouse.move(box.x + 1, box.y + 1);
      await page.mouse.wheel(0, -120);
      await page.getByText('RMS, blocks of 4 × 4').waitFor();
      await page.mouse.move(box.x + box.width - 2, box.y + 100);
      assert.match((await told(opened))!, /columns 189 to 192/);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width / 2, box.y + 100, { steps: 3 });
      await page.mouse.up();
      const request = (): HeatMapRequest => callsOf(opened, 'heatMap').at(-1)!.args[1] as HeatMapRequest;
      await page.waitForFunction(() => document.querySelector('.heat .told')!.textContent!.includes('to 1'));
      await page.waitForTimeout(150);
      const left = request().window!.left;
      assert.ok(Math.abs(left - 96) <= 2, String(left));

      const before = callsOf(opened, 'heatMap').length;
      await page.locator('.side').evaluate(side => side.scrollBy(0, -10));
      await page.mouse.wheel(0, -120);
      await page.waitForTimeout(100);
      assert.equal(callsOf(opened, 'heatMap').length, before);
    },
    { height: 700 },
  ),
);

test('where a file holds no finite number the map says so', { skip }, () =>
  withPage(
    async opened => {
      await select(opened, weight);
      await opened.page.waitForSelector('.swatch.absent');
      assert.match((await opened.page.locator('.stats').textContent())!, /Not finite384 0\.26.%/);
    },
    {
      api: (() => {
        const broken = { ...matrix, at: (row: number, column: number) => (row === 5 ? Number.NaN : matrix.at(row, column)) };
        const small = { ...broken, rows: 40, columns: 40 };
        return {
          statistics: () => statisticsOf(broken),
          heatMap: ((_: string, request: HeatMapRequest) => heatMapOf(small, request)) as never,
        };
      })(),
    },
  ),
);

test('values: 3,000,000 rows keep under 400 cells in the page, the last is reached, a selection is copied with all digits', {
  skip,
}, async () => {
  const long = { rows: 3_000_000, columns: 64, at: (row: number, column: number) => Math.fround(row / 7 + column) };
  await withPage(
    async opened => {
      const { page } = opened;
      await page.locator('.tr.body[data-id="long"]').click();
      await page.getByRole('button', { name: 'Values' }).click();
      const grid = page.getByRole('grid', { name: 'Values, 3,000,000 rows by 64 columns' });
      await grid.focus();
      assert.equal(await grid.getAttribute('aria-rowcount'), '3000001');
      assert.ok((await grid.getByRole('gridcell').count()) < 400);
      await page.waitForFunction(() => document.getElementById('v-1-0')?.textContent === '0.1429');
      await page.keyboard.press('Shift+ArrowRight');
      await page.keyboard.press('Shift+ArrowDown');
      assert.match((await page.locator('.values .told').textContent())!, /^2 × 2 selected$/);
      await page.keyboard.press('Control+c');
      await page.waitForFunction(() => document.getElementById('live')?.textContent === 'Copied');
      assert.deepEqual(callsOf(opened, 'copyText').at(-1)!.args, [`0\t1\n${Math.fround(1 / 7)}\t${Math.fround(8 / 7)}\n`]);
      await page.keyboard.press('Control+End');
      await page.waitForFunction(() => document.getElementById('v-2999999-63')?.textContent === '428,634');
      await page.keyboard.press('Control+a');
      await page.keyboard.press('Control+c');
      await page.getByText('192,000,000 values are too many to copy: at most 100,000.').first().waitFor();
    },
    {
      summary: notBert([tensor('long', [3_000_000, 64], { title: 'long' })]),
      api: { values: ((_: string, request: ValuesRequest) => valuesOf(long, request)) as never },
    },
  );
});

test('values of four axes: a slice is chosen by its leading indices', { skip }, () =>
  withPage(
    async opened => {
      const { page } = opened;
      await page.locator('.tr.body[data-id="fc.weight"]').waitFor();
      await page.locator('.tr.body[data-id="layer4.0.conv1.weight"]').click();
      await page.getByRole('button', { name: 'Values' }).click();
      const index = page.getByRole('spinbutton', { name: 'Index along axis 1, of 256' });
      await index.fill('300');
      await index.press('Enter');
      await index.blur();
      assert.equal(await index.inputValue(), '255');
      await page.waitForTimeout(150);
      assert.deepEqual(callsOf(opened, 'values').at(-1)!.args[1], {
        leading: [0, 255],
        window: { top: 0, bottom: 3, left: 0, right: 3 },
      });
      await page.waitForTimeout(120);
      await page.reload();
      await page.getByRole('grid', { name: /^Values/ }).waitFor();
    },
    { summary: notBert() },
  ),
);

test('export asks the host and says what was written, or why not', { skip }, async () => {
  let times = 0;
  const exportTensor = (): unknown => {
    if (times++ === 0) return { out: '/models/query.npy', byteLength: 589_952 };
    throw { code: 'disk-full', message: '', sentence: sentence('The disk is full.') };
  };
  await withPage(
    async opened => {
      const { page } = opened;
      await select(opened, weight);
      await page.getByRole('button', { name: 'Export .npy…' }).click();
      await page.locator('.exports').getByText('query.npy written, 590').waitFor();
      await page.getByRole('button', { name: 'Export CSV…' }).click();
      await page.getByText('The disk is full.').waitFor();
      assert.deepEqual(
        callsOf(opened, 'exportTensor').map(call => call.args.slice(0, 2)),
        [
          [weight, 'npy'],
          [weight, 'csv'],
        ],
      );
    },
    { api: { exportTensor: exportTensor as never } },
  );
});

test('heads by norm and by zeros: measured once, named, with the ends of the scale, and kept', { skip }, () =>
  withPage(async opened => {
    const { page } = opened;
    await page.waitForTimeout(50);
    assert.equal(callsOf(opened, 'headMeasures').length, 0);
    await page.getByRole('radio', { name: 'Norm' }).click();
    await page.getByText('Frobenius norm, linear scale').waitFor();
    assert.match((await page.locator('.p-heads .scale').textContent())!, /^12.*Frobenius norm/);
    assert.equal(
      await page.locator('.hg .cell[data-layer="0"][data-head="0"]').getAttribute('aria-label'),
      'Layer 0, head 0, 49,248 parameters, norm 12',
    );
    await page.getByRole('radio', { name: 'Zeros' }).click();
    const cell = page.locator('.hg .cell[data-layer="1"][data-head="2"]');
    assert.match((await cell.getAttribute('title'))!, /, 25\.00.% zeros$/);
    await cell.click();
    await page.keyboard.press('Control+c');
    await page.waitForFunction(() => document.getElementById('live')?.textContent === 'Copied');
    const lines = (callsOf(opened, 'copyText').at(-1)!.args[0] as string).split('\n');
    assert.equal(lines[0], 'Layer\tHead\tParameters\tBytes\tshare of zeros');
    assert.equal(lines[1 + 14], '1\t2\t49248\t196992\t0.25');
    assert.equal(lines.length, 74);
    assert.equal(callsOf(opened, 'headMeasures').length, 1);
    await page.waitForTimeout(150);
    await page.reload();
    await page.getByText('share of zeros, linear scale').waitFor();
  }),
);

test('Ctrl+C on a row and the menu copy sizes as text', { skip }, () =>
  withPage(
    async opened => {
      const { page } = opened;
      await page.locator('.tr.body').first().click();
      await page.keyboard.press('Control+c');
      await page.waitForFunction(() => document.getElementById('live')?.textContent === 'Copied');
      assert.deepEqual(callsOf(opened, 'copyText').at(-1)!.args, ["'=cmd␉|x\t6\t24\t60.00%\t2x3\tfp32"]);
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Control+c');
      await page.waitForTimeout(50);
      assert.deepEqual(callsOf(opened, 'copyText').at(-1)!.args, ['fc_b\t4\t16\t40.00%\t4\tfp32']);
      await page.getByRole('button', { name: 'More' }).click();
      await page.getByRole('menuitem', { name: 'Copy table as Markdown' }).click();
      assert.deepEqual((callsOf(opened, 'copyText').at(-1)!.args[0] as string).split('\n'), [
        '| Name | Parameters | Bytes | Share of model | Shape | Type |',
        '| --- | ---: | ---: | ---: | --- | --- |',
        '| =cmd␉\\|x | 6 | 24 | 60.00% | 2x3 | fp32 |',
        '| fc\\_b | 4 | 16 | 40.00% | 4 | fp32 |',
        '| File header | 0 | 9000 | 0.00% |  |  |',
        '| Total | 10 | 9040 | 100.00% |  |  |',
        '',
      ]);
      await page.getByRole('button', { name: 'Redundancy…' }).click();
      assert.equal(opened.calls.at(-1)!.method, 'openRedundancy');
    },
    { summary: notBert([tensor('=cmd\t|x', [2, 3], { title: '=cmd\t|x' }), tensor('fc_b', [4], { title: 'fc_b' })]) },
  ),
);

test(
  'axe finds nothing serious or critical inside a tensor, four themes, 1,200 and 420 px; nothing scrolls sideways',
  { skip },
  () =>
    withPage(
      async opened => {
        const { page } = opened;
        await select(opened, weight);
        await page.getByRole('radio', { name: 'Norm' }).click();
        await page.getByRole('button', { name: 'Values' }).click();
        for (const width of [1200, 700, 420, 300]) {
          await page.setViewportSize({ width, height: 1400 });
          if (width === 420) await page.getByRole('tab', { name: 'Details' }).click();
          await page.waitForFunction(() => document.getElementById('v-0-0')?.textContent !== '…');
          const pane = await page.locator('.p-details').evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth);
          assert.equal(pane, 0, `${width} px`);
          if (width === 700 || width === 300) continue;
          await setTheme(page, 'dark');
          assert.deepEqual(await accessibilityFindings(page), [], `${width} px`);
          for (const theme of themes.filter(other => other !== 'dark')) {
            await setTheme(page, theme);
            assert.deepEqual(await accessibilityFindings(page, ['color-contrast']), [], `${theme} at ${width} px`);
          }
        }
      },
      { height: 1400 },
    ),
);
