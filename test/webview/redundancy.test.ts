import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { createSession } from '../../src/core/session/session.ts';
import type { DryRun, OutputSpectrum, Redundancy, RedundancyView, Saving, Step } from '../../src/protocol/messages.ts';
import { accessibilityFindings, launch, type OpenedPage, openPage, setTheme, skipReason, themes } from './page.ts';

const sample = join(import.meta.dirname, '../../media/sample/model.onnx');
const common = { name: 'model.onnx', fileBytes: 6_452_269, changedOnDisk: false };
const failure = { code: 'truncated' as const, message: 'cut short', sentence: { text: 'This file is cut short.' } };
type Ready = Extract<RedundancyView, { state: 'ready' }>;

/** A dry run that saves 1,000 bytes for each rank that is left out of each matrix. */
function tried({ pass, options }: Step): DryRun {
  const before = { parameters: 1_594_754, byteLength: 6_400_000, fileBytes: common.fileBytes };
  const matrices = (options.include as string[])[0]!.includes('*') ? 4 : 1;
  const fileBytes = before.fileBytes - matrices * 1000 * (64 - Number(options.rank));
  const recipe = { version: 1 as const, steps: [{ pass, options }] };
  const after = { ...before, fileBytes };
  const report = { version: 1 as const, recipe, out: '', before, after, edits: [], skipped: [], seconds: 0.1, peakBytes: 0 };
  return { report, failure: null, steps: [after] };
}

/** 64 ranks that lose less and less; what lies in layer 3 cannot be run. */
function outputsOf(id: string, asked: unknown[][]): OutputSpectrum {
  asked.push(['outputs', id]);
  if (id.includes('.3.')) throw failure;
  return {
    version: 1,
    id,
    texts: 64,
    tokens: 976,
    notes: [],
    errors: Array.from({ length: 64 }, (_, at) => ((63 - at) / 64) ** 2),
  };
}

/** A model in which everything repeats, beside what the sample has. */
function repetitive({ redundancy, ...rest }: Ready): Ready {
  const layers = redundancy.layers!;
  const cosines = layers.cosines.map((value, at) => (at === 1 || at === layers.size ? 0.97 : value));
  const more = {
    ...redundancy,
    layers: { ...layers, cosines },
    repeats: [
      { tensor: 'a\u0007.weight', of: '<b>first</b>', cosine: 1, byteLength: 4096 },
      { tensor: 'c.weight', of: 'first', cosine: 0.9995, byteLength: 2048 },
    ],
    vocabulary: {
      ...{ rows: 6000, unused: 3, byteLength: 1536, examples: [1, 2, 9] },
      near: { rows: 2, byteLength: 1024, groups: [{ rows: [7, 8, 11], count: 3, cosine: 0.9931 }] },
      tokens: [
        [1, '[unused1]'],
        [7, '\u202eabc'],
      ],
    },
    skipped: [{ id: 'wide', reason: { text: 'It holds values that are not finite.' } }],
  } satisfies Redundancy;
  const step = (pass: string): Saving => ({
    pass,
    title: { text: pass },
    options: {},
    reason: { text: 'It is already quantized.' },
  });
  return { ...rest, redundancy: more, savings: [...rest.savings, step('factorize'), step('share-layers')] };
}

describe('the redundancy page, on the sample', { skip: skipReason ?? false }, () => {
  let browser: Browser;
  let ready: Ready;
  before(async () => {
    const session = createSession();
    ready = { ...common, state: 'ready', redundancy: await session.redundancy(sample), savings: await session.savings(sample) };
    browser = await launch();
  });
  after(() => browser?.close());

  const shown = async (view: RedundancyView, asked: unknown[][] = [], width = 1200): Promise<OpenedPage> => {
    const opened = await openPage(browser, {
      page: 'redundancy',
      width,
      api: {
        view: () => view,
        run: () => void asked.push(['run']),
        cancel: () => void asked.push(['cancel']),
        openCompress: (pass: string, options: object) => void asked.push([pass, options]),
        tryStep: (step: Step) => tried(step),
        outputSpectrum: (id: string) => outputsOf(id, asked),
        copyMarkdown: (text: string) => void asked.push(['markdown', text]),
        copyText: (text: string) => void asked.push(['text', text]),
        reload: () => undefined,
        showLog: () => undefined,
      },
    });
    await opened.page.locator(view.state === 'ready' ? '#near-zero table' : '.state').waitFor();
    return opened;
  };

  test('nothing is read before the person asks; running says how far it is and how long, and can be cancelled', async () => {
    const asked: unknown[][] = [];
    const idle = await shown({ ...common, state: 'idle', cancelled: true }, asked);
    await idle.page.getByText('Cancelled.').waitFor();
    await idle.page.getByRole('button', { name: /^Read/ }).click();
    await idle.close();
    const progress = { fraction: 0.4, what: 'encoder.layer.1' };
    const running = await shown({ ...common, state: 'running', progress, elapsedMs: 8000 }, asked);
    assert.equal(await running.page.getByRole('progressbar').getAttribute('aria-valuenow'), '40');
    await running.page.getByText('about 12 s left').waitFor();
    running.emit('progress', { fraction: 0.8, what: 'encoder.layer.2' });
    await running.page.locator('[role=progressbar][aria-valuenow="80"]').waitFor();
    await running.page.getByRole('button', { name: 'Cancel' }).click();
    await running.close();
    assert.deepEqual(asked, [['run'], ['cancel']]);
  });

  test('savings come first, each with its button and by Enter on its row; the recipe is that of the row', async () => {
    const asked: unknown[][] = [];
    const { page, close } = await shown(ready, asked);
    assert.equal(await page.locator('.pane h2').first().textContent(), 'What would it save');
    const rows = page.locator('#savings tbody tr');
    assert.equal(await rows.count(), ready.savings.length);
    await rows
      .nth(1)
      .getByRole('button', { name: /^Compress…/ })
      .click();
    await rows.nth(0).focus();
    await page.keyboard.press('Enter');
    await page.waitForTimeout(50);
    const [first, second] = ready.savings;
    assert.deepEqual(asked, [
      [second!.pass, second!.options],
      [first!.pass, first!.options],
    ]);
    await close();
  });

  test('a column head sorts, again reverses, a third time gives the order of the model back: by mouse and by keyboard', async () => {
    const { page, close } = await shown(ready);
    const table = page.locator('#ranks table');
    const ids = () => table.locator('tbody tr').evaluateAll(rows => rows.map(row => row.getAttribute('data-key')));
    const model = ready.redundancy.spectra;
    const head = table.getByRole('columnheader', { name: '95 %' });
    await head.getByRole('button').click();
    assert.equal(await head.getAttribute('aria-sort'), 'descending');
    const falling = [...model].sort((a, b) => b.rank95 - a.rank95).map(it => it.rank95);
    const rank = new Map(model.map(it => [it.id, it.rank95]));
    assert.deepEqual(
      (await ids()).map(id => rank.get(id!)),
      falling,
    );
    await page.keyboard.press('Enter');
    assert.equal(await head.getAttribute('aria-sort'), 'ascending');
    await page.keyboard.press('Enter');
    assert.equal(await head.getAttribute('aria-sort'), 'none');
    assert.deepEqual(
      await ids(),
      model.map(it => it.id),
    );
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('End');
    await page.keyboard.press(' ');
    assert.equal(await table.locator('tr[aria-selected=true]').getAttribute('data-key'), model.at(-1)!.id);
    await close();
  });

  test('the large spectrum is that of the row, the small picture or the key that was chosen, and is read by arrow keys', async () => {
    const { page, close } = await shown(ready);
    const spectrum = ready.redundancy.spectra.find(({ id }) => id === 'encoder.layer.2.attention.self.value')!;
    await page.locator(`.multiples [data-id="${spectrum.id}"]`).click();
    assert.equal(await page.locator('.spectrum h3').textContent(), 'Layer 2, Value');
    assert.equal(await page.locator('#ranks tr[aria-selected=true]').getAttribute('data-key'), spectrum.id);
    const plot = page.getByRole('slider', { name: 'Spectrum of Layer 2, Value' });
    assert.equal(await plot.getAttribute('aria-valuenow'), String(spectrum.rank99));
    await plot.focus();
    await page.keyboard.press('Home');
    assert.equal(await plot.getAttribute('aria-valuenow'), '1');
    await page.keyboard.press('ArrowRight');
    assert.match((await plot.getAttribute('aria-valuetext'))!, /^Rank 2 of 128 keeps /);
    assert.match((await page.locator('.spectrum figcaption').textContent())!, /two thin matrices take 3\s%/);
    const texts = await page.locator('.spectrum svg text').allTextContents();
    for (const mark of ['90 %', '95 %', '99 %', `break-even ${spectrum.breakEven}`])
      assert.ok(texts.map(text => text.replace(/\s/g, ' ')).includes(mark), `${mark} in ${texts}`);
    const linear = await page.locator('polyline.values').first().getAttribute('points');
    await page.getByRole('radio', { name: 'Log' }).click();
    assert.notEqual(await page.locator('polyline.values').first().getAttribute('points'), linear);
    await page.locator('.multiples [aria-selected=true]').focus();
    await page.keyboard.press('ArrowDown');
    assert.equal(await page.locator('.spectrum h3').textContent(), 'Layer 3, Value');
    await close();
  });

  test('the cursor in the cosines of layers tells the value of each pair, and another matrix can be compared', async () => {
    const { page, close } = await shown(ready);
    const { layers, layerMatrices } = ready.redundancy;
    const map = page.getByRole('grid', { name: 'Cosines of layers' });
    assert.equal(await map.getByRole('gridcell').count(), layers!.size ** 2);
    await map.locator('[tabindex="0"]').focus();
    await page.keyboard.press('Control+Home');
    await page.keyboard.press('ArrowRight');
    const told = () => page.locator('#layers .told').textContent();
    const value = (cosines: readonly number[]) => (Math.floor(cosines[1]! * 1000) / 1000).toFixed(3).replace('-', '−');
    assert.equal(await told(), `Layers 0 and 1: ${value(layers!.cosines)}`);
    await page.locator('#layers vscode-dropdown').click();
    await page.locator('#layers vscode-option', { hasText: 'Key' }).click();
    await page.waitForFunction(
      text => document.querySelector('#layers .told')!.textContent === text,
      `Layers 0 and 1: ${value(layerMatrices!.find(({ id }) => id === 'attention.self.key')!.cosines)}`,
    );
    await close();
  });

  test('heads: a picture for each layer, and the pair that is chosen in the table is shown in its layer', async () => {
    const { page, close } = await shown(ready);
    const { heads } = ready.redundancy;
    assert.equal(await page.locator('.thumbs [role=radio]').count(), heads.length);
    await page.locator('.thumbs [role=radio]').nth(2).click();
    assert.equal(await page.locator('#heads h3').first().textContent(), 'Layer 2');
    const row = page.locator('#heads tbody tr').first();
    const layer = await row.locator('td').first().textContent();
    await row.click();
    assert.equal(await page.locator('#heads h3').first().textContent(), `Layer ${layer}`);
    assert.equal(await page.locator('#heads .similar .on').count(), 2);
    await close();
  });

  test('what repeats is said with its bytes; names are text; a rank and a group of layers open their commands', async () => {
    const asked: unknown[][] = [];
    const view = repetitive(ready);
    const { page, close, errors } = await shown(view, asked);
    await page.getByText('3 of 6,000 rows look untrained: 1.5 KB.').waitFor();
    await page.getByText('Rows that are nearly the same as another (cosine of at least 0.99): 2, 1.0 KB.').waitFor();
    await page.getByText('Rows 1 [unused1], 2, 9').waitFor();
    await page.getByText('a␇.weight').waitFor();
    await page.getByText('<b>first</b>').waitFor();
    await page.getByText('It holds values that are not finite.').waitFor();
    await page.locator('.multiples [data-id="encoder.layer.0.attention.self.query"]').click();
    await page.locator('.spectrum .plot').focus();
    await page.keyboard.press('Home');
    await page.getByRole('button', { name: 'Factorize to rank 1…' }).click();
    await page.getByText(/^Layers 0, 1: their mean changes their weights by 1\d\.\d\s%\.$/).waitFor();
    await page.getByRole('button', { name: 'Share layers…' }).click();
    await page.waitForTimeout(50);
    assert.deepEqual(asked, [
      ['factorize', { rank: 1, include: ['encoder.layer.0.attention.self.query'] }],
      ['share-layers', { groups: [[0, 1]] }],
    ]);
    assert.deepEqual(errors, []);
    await close();
  });

  test('a click holds the rank, with its exact size; all matrices of a kind go to the form as one step', async () => {
    const asked: unknown[][] = [];
    const { page, close, errors } = await shown(repetitive(ready), asked);
    const spectrum = ready.redundancy.spectra.find(({ id }) => id === 'encoder.layer.2.output.dense')!;
    await page.locator(`.multiples [data-id="${spectrum.id}"]`).click();
    const plot = page.locator('.spectrum .plot');
    const box = (await plot.boundingBox())!;
    await plot.click({ position: { x: 40 + (box.width - 84) * 0.25, y: 120 } });
    await page.mouse.move(0, 0);
    const rank = Number(await plot.getAttribute('aria-valuenow'));
    assert.ok(Math.abs(rank - 32) <= 2, `rank ${rank} at a quarter of 128`);
    const size = async () => (await page.locator('.factorize .trial b').getAttribute('title'))!;
    const bytes = (matrices: number) => new Intl.NumberFormat('en').format(common.fileBytes - matrices * 1000 * (64 - rank));
    await page.waitForFunction(
      wanted => document.querySelector('.factorize .trial b')?.getAttribute('title')?.includes(wanted),
      bytes(1),
    );
    assert.match(await size(), /bytes/);
    await page.getByRole('radio', { name: 'Down of all 4 layers' }).click();
    await page.getByRole('button', { name: `Factorize to rank ${rank}…` }).click();
    await page.waitForTimeout(250);
    await page.locator('.multiples [data-id="encoder.layer.2.attention.self.key"]').click();
    await page.locator('.spectrum .plot').focus();
    await page.keyboard.press('Home');
    await page.getByRole('button', { name: 'Factorize to rank 1…' }).click();
    await page.waitForTimeout(50);
    const down = [0, 1, 2, 3].map(layer => `encoder.layer.${layer}.output.dense`);
    assert.deepEqual(asked, [
      ['factorize', { rank, include: down }],
      ['factorize', { rank: 1, include: ['encoder.layer.*.attention.self.key'] }],
    ]);
    assert.deepEqual(errors, []);
    await close();
  });

  test('what ranks lose of the outputs is a second curve once it is asked for, with its number at the rank; the form gets that method', async () => {
    const asked: unknown[][] = [];
    const opened = await shown(ready, asked);
    const { page, close } = opened;
    await page.locator('.multiples [data-id="encoder.layer.2.output.dense"]').click();
    assert.equal(await page.locator('polyline.lost').count(), 0);
    const box = page.getByRole('checkbox', { name: 'Output error on text' });
    await box.click();
    await page.getByText('64 sentences, 976 tokens').waitFor();
    await page.locator('.spectrum .plot').focus();
    await page.keyboard.press('Home');
    for (let rank = 1; rank < 20; rank++) await page.keyboard.press('ArrowRight');
    const rank = Number(await page.locator('.spectrum .plot').getAttribute('aria-valuenow'));
    const expected = (100 * ((64 - rank) / 64) ** 2).toFixed(1);
    assert.ok((await page.locator('.spectrum figcaption').textContent())!.includes(`output error ${expected}`));
    await opened.screenshot('redundancy-outputs-dark-1200');
    await page.locator('.factorize vscode-button').click();
    const form = asked.findLast(([pass]) => pass === 'factorize')![1] as { method?: string };
    assert.equal(form.method, 'whitened');
    // Another matrix is asked for by itself; one that cannot be run says why.
    await page.locator('.multiples [data-id="encoder.layer.1.output.dense"]').click();
    await page.locator('polyline.lost').waitFor();
    await page.locator('.multiples [data-id="encoder.layer.3.output.dense"]').click();
    await page.locator('.outputs .wrong', { hasText: 'This file is cut short.' }).waitFor();
    assert.deepEqual(
      asked.filter(([what]) => what === 'outputs').map(([, id]) => id),
      [2, 1, 3].map(layer => `encoder.layer.${layer}.output.dense`),
    );
    await page.getByRole('checkbox', { name: 'Output error on text' }).click();
    await page.locator('.outputs .wrong').waitFor({ state: 'detached' });
    await close();
  });

  test('a fact leads to its section, and only what was found scrolls', async () => {
    const { page, close } = await shown(ready);
    const facts = page.locator('.facts button, .facts a');
    for (let at = 0; at < (await facts.count()); at++) {
      await facts.nth(at).click();
      assert.equal(await page.evaluate(() => document.scrollingElement!.scrollTop), 0);
    }
    assert.ok((await page.locator('.found').evaluate(found => found.scrollTop)) > 0);
    await close();
  });

  test('groups of layers are made by dragging in the square, or with Enter, and go to the form', async () => {
    const asked: unknown[][] = [];
    const { page, close } = await shown(
      ready.savings.some(({ pass }) => pass === 'share-layers') ? ready : repetitive(ready),
      asked,
    );
    const map = page.getByRole('grid', { name: 'Cosines of layers' });
    const cell = (row: number, column: number) => map.locator(`[data-cell="${row * 4 + column}"]`);
    await cell(0, 0).hover();
    await page.mouse.down();
    await cell(1, 1).hover();
    await page.mouse.up();
    await page.getByText(/^Layers 0, 1: their mean changes/).waitFor();
    await cell(2, 3).focus();
    await page.keyboard.press('Enter');
    assert.equal(await map.locator('.grouped').count(), 4);
    await page.getByRole('button', { name: 'Share layers…' }).click();
    await cell(1, 2).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Share layers…' }).click();
    await page.locator('#layers').getByRole('button', { name: 'Clear' }).click();
    assert.equal(await map.locator('.grouped').count(), 0);
    assert.deepEqual(asked, [
      [
        'share-layers',
        {
          groups: [
            [0, 1],
            [2, 3],
          ],
        },
      ],
      ['share-layers', { groups: [[1, 2]] }],
    ]);
    await close();
  });

  test('a row is copied by Ctrl+C, a table from its menu, and all of it as Markdown', async () => {
    const asked: unknown[][] = [];
    const { page, close } = await shown(ready, asked);
    await page.locator('#ranks tbody tr').first().focus();
    await page.keyboard.press('Control+c');
    await page.getByRole('button', { name: 'Copy “Rank of the matrices”' }).click();
    await page.getByRole('menuitem', { name: 'Copy table as Markdown' }).click();
    await page.getByRole('button', { name: 'More' }).click();
    await page.getByRole('menuitem', { name: 'Copy as Markdown' }).click();
    await page.waitForTimeout(50);
    const [row, table, report] = asked.map(([, text]) => String(text));
    const { id, out, in: wide, rank90, rank95, rank99, breakEven } = ready.redundancy.spectra[0]!;
    assert.equal(row, [id, `${out}x${wide}`, rank90, rank95, rank99, Math.min(out, wide), breakEven].join('\t'));
    assert.equal(table!.split('\n').length, ready.redundancy.spectra.length + 3);
    assert.match(table!, /^\| Matrix \| Shape \| 90 % \| 95 % \| 99 % \| Full rank \| Break-even \|\n\| --- \| ---: \|/);
    assert.match(report!, /^# Redundancy in model\.onnx\n/);
    assert.ok(report!.includes('## What would it save') && report!.includes('## Rank of the matrices'));
    await close();
  });

  test('what was chosen and sorted is there again after the page is drawn anew', async () => {
    const { page, close } = await shown(ready);
    await page.locator('.multiples [data-id="encoder.layer.1.output.dense"]').click();
    await page.locator('#ranks').getByRole('columnheader', { name: 'Matrix' }).getByRole('button').click();
    await page.locator('#layers vscode-dropdown').click();
    await page.locator('#layers vscode-option', { hasText: 'Key' }).click();
    await page.locator('.found').evaluate(found => found.scrollTo(0, 120));
    await page.waitForTimeout(300);
    await page.reload();
    await page.locator('#near-zero table').waitFor();
    assert.equal(await page.locator('.found').evaluate(found => found.scrollTop), 120);
    assert.equal(await page.locator('.spectrum h3').textContent(), 'Layer 1, Down');
    const head = page.locator('#ranks').getByRole('columnheader', { name: 'Matrix' });
    assert.equal(await head.getAttribute('aria-sort'), 'ascending');
    // The dropdown says what is compared: not its first choice.
    assert.equal(
      await page.locator('#layers vscode-dropdown').evaluate(it => (it as HTMLSelectElement).value),
      'attention.self.key',
    );
    await close();
  });

  const overflow = (page: Page) =>
    page.evaluate(
      () => [...document.querySelectorAll('.found, .found .wide')].filter(it => it.scrollWidth > it.clientWidth + 1).length,
    );

  test('axe finds nothing serious in any state, four themes, wide and narrow; at 420 nothing scrolls sideways', async () => {
    const states: RedundancyView[] = [
      { ...common, state: 'idle' },
      { ...common, state: 'running', progress: { fraction: 0.4, what: 'encoder.layer.1' } },
      { ...common, state: 'failed', failure },
      { ...repetitive(ready), changedOnDisk: true },
    ];
    // What is drawn before there are results is one column of text: the two themes that differ most, at one width.
    for (const view of states)
      for (const width of view.state === 'ready' ? [1200, 420] : [420]) {
        const { page, close, screenshot, errors } = await shown(view, [], width);
        for (const theme of view.state === 'ready' ? themes : (['dark', 'hcl'] as const)) {
          await setTheme(page, theme);
          assert.deepEqual(await accessibilityFindings(page), [], `${view.state} ${theme} ${width}`);
          if (view.state === 'ready') await screenshot(`redundancy-${theme}-${width}`);
        }
        assert.equal(await overflow(page), 0, `${view.state} at ${width}`);
        assert.deepEqual(errors, []);
        await close();
      }
  });
});
