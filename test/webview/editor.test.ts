import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import type { Summary } from '../../src/core/report/tree.ts';
import { editorApi, ready, states } from './editor-views.ts';
import { launch, type OpenedPage, openPage, type PageOptions, skipReason } from './page.ts';
import { many, minilm, notBert, tensor } from './summaries.ts';

let browser: Browser;
before(async () => {
  if (!skipReason) browser = await launch();
});
after(() => browser?.close());
const skip = skipReason ?? false;

async function withPage(
  summary: Summary,
  check: (opened: OpenedPage) => Promise<void>,
  more: Partial<PageOptions> = {},
): Promise<void> {
  const opened = await openPage(browser, { page: 'editor', api: editorApi(ready(summary)), ...more });
  try {
    await opened.page.waitForSelector('.tr.body');
    await check(opened);
    assert.deepEqual(opened.errors, []);
  } finally {
    await opened.close();
  }
}

/** Long words are where a page breaks: Chinese as translated, and English a third longer, as German is. */
const l10n = join(import.meta.dirname, '../../l10n');
const parts = existsSync(join(l10n, 'parts')) ? readdirSync(join(l10n, 'parts')).map(name => join('parts', name)) : [];
const chinese = Object.assign(
  {},
  ...['bundle.l10n.zh-cn.json', ...parts].map(name => JSON.parse(readFileSync(join(l10n, name), 'utf8'))),
) as Record<string, string>;
const longer = Object.fromEntries(Object.keys(chinese).map(text => [text, `${text}${'ß'.repeat(Math.ceil(text.length * 0.3))}`]));
const languages: Record<string, Record<string, string>> = { en: {}, 'zh-cn': chinese, de: longer };

const row = ({ page }: OpenedPage, id: string) => page.locator(`.tr.body[data-id="${id}"]`);
const ids = ({ page }: OpenedPage): Promise<string[]> =>
  page
    .locator('.tr.body')
    .evaluateAll(rows =>
      rows
        .toSorted((a, b) => Number((a as HTMLElement).dataset.index) - Number((b as HTMLElement).dataset.index))
        .map(one => (one as HTMLElement).dataset.id!),
    );
const focused = ({ page }: OpenedPage): Promise<string | undefined> =>
  page.evaluate(() => (document.activeElement as HTMLElement | null)?.dataset.id);
const said = ({ page }: OpenedPage): Promise<string | null> => page.locator('#live').textContent();
const filterField = ({ page }: OpenedPage) => page.locator('vscode-text-field');
/** A reload as VS Code does it: the page goes away and comes back with the state it kept. */
async function reload({ page }: OpenedPage): Promise<void> {
  await page.waitForTimeout(150);
  await page.reload();
  await page.waitForSelector('.tr.body');
}

test('the page shows the exact sizes of the summary', { skip }, () =>
  withPage(minilm(), async opened => {
    assert.match((await opened.page.locator('.hdr').textContent())!, /22,713,216 parameters.*90\.9 MB.*fp32/);
    assert.match(
      (await opened.page.locator('.hdr .what').textContent())!,
      /BERT encoder · 6 layers × 384 · 12 heads of 32 · feed-forward 1,536 · vocabulary 30,522/,
    );
    assert.match((await row(opened, 'encoder.layer.3').textContent())!, /Layer 3.*7\.81.%.*1,774,464.*7\.1MB/);
    assert.match((await opened.page.locator('.tr.foot').textContent())!, /Total.*100.%.*22,713,216.*90\.9MB/);
    assert.equal(await row(opened, 'encoder.layer.3').locator('[title="7,097,856 bytes"]').count(), 2);
  }),
);

test('arrow keys, Home, End, * and letters move through the tree as in VS Code', { skip }, () =>
  withPage(minilm(), async opened => {
    const { keyboard } = opened.page;
    await row(opened, 'encoder').click();
    await keyboard.press('ArrowDown');
    assert.equal(await focused(opened), 'encoder.layer.0');
    await keyboard.press('ArrowRight');
    assert.equal(await row(opened, 'encoder.layer.0').getAttribute('aria-expanded'), 'true');
    await keyboard.press('ArrowRight');
    assert.equal(await focused(opened), 'encoder.layer.0.attention');
    await keyboard.press('ArrowLeft');
    assert.equal(await focused(opened), 'encoder.layer.0');
    await keyboard.press('ArrowLeft');
    assert.equal(await row(opened, 'encoder.layer.0').getAttribute('aria-expanded'), 'false');
    await keyboard.press('*');
    assert.equal(await row(opened, 'encoder.layer.5').getAttribute('aria-expanded'), 'true');
    await keyboard.press('End');
    assert.equal(await focused(opened), 'file.header');
    await keyboard.press('Home');
    assert.equal(await focused(opened), 'embeddings');
    await keyboard.type('poo');
    assert.equal(await focused(opened), 'pooler');
    await keyboard.press('PageUp');
    assert.notEqual(await focused(opened), 'pooler');
    await opened.page.waitForTimeout(700);
    await keyboard.press('Space');
    assert.equal(await opened.page.locator('.tr.body[aria-selected="true"]').getAttribute('data-id'), await focused(opened));
  }),
);

test('each part of the page is one tab stop, and Tab leaves the table', { skip }, () =>
  withPage(minilm(), async ({ page }) => {
    const stops: string[] = [];
    for (let press = 0; press < 20; press++) {
      await page.keyboard.press('Tab');
      const stop = await page.evaluate(() => {
        const at = document.activeElement;
        return at === document.body
          ? 'out'
          : `${at?.tagName.startsWith('VSCODE') ? at.tagName.toLowerCase() : (at?.getAttribute('role') ?? at?.id)}`;
      });
      if (stop === 'out') break;
      stops.push(stop);
    }
    const views = ['radio', 'vscode-text-field', 'vscode-button', 'option', 'row', 'separator'];
    assert.deepEqual(stops, [...views, 'radio', 'radio', 'gridcell', 'prune-share']);
    await page.locator('vscode-button').first().focus();
    await page.keyboard.press('End');
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('aria-label')), 'More');
  }),
);

test('a column head sorts, reverses, and gives the order of the model back', { skip }, () =>
  withPage(notBert(), async opened => {
    const head = opened.page.getByRole('columnheader', { name: 'Bytes' });
    const model = await ids(opened);
    await head.getByRole('button').click();
    assert.equal(await head.getAttribute('aria-sort'), 'descending');
    await head.getByRole('button').click();
    assert.equal(await head.getAttribute('aria-sort'), 'ascending');
    assert.equal((await ids(opened))[0], 'fc.bias');
    await head.getByRole('button').click();
    assert.equal(await head.getAttribute('aria-sort'), 'none');
    assert.deepEqual(await ids(opened), model);
  }),
);

test('the filter keeps ancestors, says how many match, and never changes the total', { skip }, () =>
  withPage(minilm(), async opened => {
    await opened.page.keyboard.press('Control+f');
    await opened.page.keyboard.type('layer.3 key');
    await opened.page.waitForSelector('.tr.body[data-id="encoder.layer.3.attention.self.key.weight"]');
    assert.equal((await ids(opened)).length, 6);
    assert.match((await opened.page.locator('.tr.foot').textContent())!, /Total of the file.*22,713,216/);
    assert.equal(await filterField(opened).locator('[slot=end]').textContent(), '2 of 104');
    assert.equal(await said(opened), '2 of 104 tensors');
    await opened.page.keyboard.press('Escape');
    assert.equal(await filterField(opened).evaluate(field => (field as HTMLInputElement).value), '');
    await opened.page.keyboard.press('Escape');
    assert.equal(await opened.page.evaluate(() => document.activeElement?.getAttribute('role')), 'row');
  }),
);

test('a row, its rectangle and its layer of heads are one selection', { skip }, () =>
  withPage(minilm(), async opened => {
    const { page } = opened;
    await row(opened, 'encoder.layer.3').click();
    assert.equal(await page.locator('.ice [aria-selected="true"]').getAttribute('data-id'), 'encoder.layer.3');
    assert.equal(await page.locator('.hg .rh.on').textContent(), 'Layer 3');
    assert.match((await page.locator('.p-details').textContent())!, /Layer 3.*1,774,464.*Heads12.*Neurons1,536/);

    await page.locator('.hg .cell[data-layer="4"][data-head="7"]').click();
    assert.equal(await page.locator('.tr.body[aria-selected="true"]').getAttribute('data-id'), 'encoder.layer.4.attention');
    assert.match((await page.locator('.p-details').textContent())!, /Layer 4, head 7.*49,248/);

    await page.locator('.ice [data-id="encoder.layer.5.attention.self.key"]').focus();
    await page.keyboard.press('Enter');
    assert.equal(
      await page.locator('.tr.body[aria-selected="true"]').getAttribute('data-id'),
      'encoder.layer.5.attention.self.key',
    );
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('.tr.body[aria-selected="true"]').count(), 0);
  }),
);

test('pointing at a row marks its rectangle, and the other way round', { skip }, () =>
  withPage(minilm(), async opened => {
    await row(opened, 'encoder.layer.2').hover();
    assert.equal(await opened.page.locator('.ice .hot').getAttribute('data-id'), 'encoder.layer.2');
    await opened.page.locator('.ice [data-id="encoder.layer.4"]').hover();
    assert.equal(await opened.page.locator('.tr.hot').getAttribute('data-id'), 'encoder.layer.4');
  }),
);

test('arrows go through the heads and name them', { skip }, () =>
  withPage(minilm(), async ({ page }) => {
    await page.locator('.hg .cell[data-layer="0"][data-head="0"]').focus();
    for (const key of ['ArrowDown', 'ArrowRight', 'ArrowRight']) await page.keyboard.press(key);
    assert.equal(
      await page.evaluate(() => document.activeElement?.getAttribute('aria-label')),
      'Layer 1, head 2, 49,248 parameters',
    );
    await page.keyboard.press('Control+End');
    await page.keyboard.press('Enter');
    assert.equal(
      await page.locator('.cell[aria-selected="true"]').getAttribute('aria-label'),
      'Layer 5, head 11, 49,248 parameters',
    );
  }),
);

const selectedHeads = ({ page }: OpenedPage): Promise<string[]> =>
  page
    .locator('.cell[aria-selected="true"]')
    .evaluateAll(cells => cells.map(cell => `${(cell as HTMLElement).dataset.layer} ${(cell as HTMLElement).dataset.head}`));
const headCell = ({ page }: OpenedPage, layer: number, head: number) =>
  page.locator(`.hg .cell[data-layer="${layer}"][data-head="${head}"]`);

test(
  'heads are selected by click, with Ctrl and Shift, by dragging, and a layer by its name; what they save is exact',
  { skip },
  () =>
    withPage(minilm(), async opened => {
      const { page } = opened;
      const said = async () => (await page.locator('.prune').allInnerTexts()).join(' ').replace(/\s+/g, ' ');
      assert.match(await said(), /Click, drag or hold Shift or Ctrl to select heads/);
      await headCell(opened, 1, 2).click();
      assert.deepEqual(await selectedHeads(opened), ['1 2']);
      assert.match(
        await said(),
        /1 head selected · 49,248 parameters · 197 KB .*Prune selected head, saves 197 KB… Show attention…/,
      );
      await headCell(opened, 2, 4).click({ modifiers: ['Shift'] });
      assert.deepEqual(await selectedHeads(opened), ['1 2', '1 3', '1 4', '2 2', '2 3', '2 4']);
      await headCell(opened, 1, 3).click({ modifiers: ['Control'] });
      await headCell(opened, 5, 11).click({ modifiers: ['Control'] });
      assert.deepEqual(await selectedHeads(opened), ['1 2', '1 4', '2 2', '2 3', '2 4', '5 11']);
      assert.match(await said(), /6 heads selected · 295,488 parameters · 1\.2 MB .*Prune selected 6 heads, saves 1\.2 MB…/);
      await page.getByRole('button', { name: /^Prune selected/ }).click();
      assert.deepEqual(opened.calls.at(-1), {
        method: 'openCompress',
        args: [{ pass: 'prune-heads', options: { remove: { 1: [2, 4], 2: [2, 3, 4], 5: [11] } } }, null],
      });
      await headCell(opened, 0, 0).hover();
      await page.mouse.down();
      await headCell(opened, 1, 1).hover();
      assert.deepEqual(await selectedHeads(opened), ['0 0', '0 1', '1 0', '1 1']);
      await headCell(opened, 0, 2).hover();
      await page.mouse.up();
      await headCell(opened, 4, 4).hover();
      assert.deepEqual(await selectedHeads(opened), ['0 0', '0 1', '0 2']);
      await page.getByRole('button', { name: 'Clear' }).click();
      assert.deepEqual(await selectedHeads(opened), []);
    }),
);

test('the last head of a layer is not pruned: the layer is, when nothing else is selected', { skip }, () =>
  withPage(minilm(), async opened => {
    const { page } = opened;
    const prune = page.getByRole('button', { name: /^Prune selected/ });
    const enabled = () => prune.evaluate(button => !(button as HTMLButtonElement).disabled);
    await page.locator('.hg .rh').nth(3).click();
    assert.equal((await selectedHeads(opened)).length, 12);
    assert.equal(
      (await page.locator('.prune [role=alert]').allInnerTexts()).join(' '),
      'Layer 3 would lose its last head: leave it one, or remove the layer.',
    );
    assert.equal(await enabled(), false);
    await page
      .locator('.hg .rh')
      .nth(1)
      .click({ modifiers: ['Control'] });
    await page.getByRole('button', { name: 'Remove 2 layers…' }).click();
    assert.deepEqual(opened.calls.at(-1), {
      method: 'openCompress',
      args: [{ pass: 'prune-layers', options: { remove: [1, 3] } }, null],
    });
    await headCell(opened, 3, 0).click({ modifiers: ['Control'] });
    await headCell(opened, 1, 0).click({ modifiers: ['Control'] });
    assert.equal(await enabled(), true);
    assert.equal(await page.locator('.prune [role=alert]').count(), 0);
  }),
);

test('with keys: Shift and arrows select along, Ctrl+Space one more, Shift+Space a layer, Ctrl+A all, Esc none', { skip }, () =>
  withPage(minilm(), async opened => {
    const { page } = opened;
    await headCell(opened, 2, 2).focus();
    await page.keyboard.press('Space');
    await page.keyboard.press('Shift+ArrowRight');
    await page.keyboard.press('Shift+ArrowDown');
    assert.deepEqual(await selectedHeads(opened), ['2 2', '2 3', '3 2', '3 3']);
    await page.keyboard.press('Control+End');
    await page.keyboard.press('Control+Space');
    assert.deepEqual(await selectedHeads(opened), ['2 2', '2 3', '3 2', '3 3', '5 11']);
    await page.keyboard.press('Shift+Space');
    assert.equal((await selectedHeads(opened)).length, 12);
    await page.keyboard.press('Control+a');
    assert.equal((await selectedHeads(opened)).length, 72);
    await page.keyboard.press('Escape');
    assert.deepEqual(await selectedHeads(opened), []);
  }),
);

test('selected heads are there again after hiding; one head makes way for a row, several stay', { skip }, () =>
  withPage(minilm(), async opened => {
    const { page } = opened;
    await headCell(opened, 1, 2).click();
    await row(opened, 'embeddings').click();
    assert.deepEqual(await selectedHeads(opened), []);
    await headCell(opened, 1, 2).click();
    await headCell(opened, 1, 4).click({ modifiers: ['Shift'] });
    await row(opened, 'embeddings').click();
    await page.waitForTimeout(150);
    await page.reload();
    await page.waitForSelector('.hg');
    assert.deepEqual(await selectedHeads(opened), ['1 2', '1 3', '1 4']);
  }),
);

test('measure, sort, opened rows, filter, selection, scroll and sash come back after hiding', { skip }, () =>
  withPage(
    minilm(),
    async opened => {
      const { page } = opened;
      await page.getByRole('radio', { name: 'Bytes' }).click();
      await page.getByRole('button', { name: 'Expand all' }).first().click();
      await row(opened, 'encoder.layer.0').click();
      await page.locator('.sash').focus();
      await page.keyboard.press('ArrowLeft');
      const sash = (await page.locator('.sash').boundingBox())!;
      await page.mouse.move(sash.x, 300);
      await page.mouse.down();
      await page.mouse.move(sash.x - 36, 300);
      await page.mouse.up();
      await page.locator('.tg').evaluate(table => table.scrollTo(0, 500));
      await page.waitForTimeout(50);
      const before = await ids(opened);
      await reload(opened);
      assert.equal(await page.getByRole('radio', { name: 'Bytes' }).getAttribute('aria-checked'), 'true');
      assert.equal(await page.locator('.sash').getAttribute('aria-valuenow'), '400');
      assert.equal(await page.locator('.tg').evaluate(table => table.scrollTop), 500);
      assert.equal(await page.locator('.ice [aria-selected="true"]').getAttribute('data-id'), 'encoder.layer.0');
      assert.deepEqual(await ids(opened), before);

      await page.keyboard.press('Control+f');
      await page.keyboard.type('bias');
      await page.getByRole('columnheader', { name: 'Parameters' }).getByRole('button').click();
      await reload(opened);
      assert.equal(await filterField(opened).evaluate(field => (field as HTMLInputElement).value), 'bias');
      assert.equal(await page.getByRole('columnheader', { name: 'Parameters' }).getAttribute('aria-sort'), 'descending');
    },
    { height: 500 },
  ),
);

test('20,000 tensors: at most 80 rows are in the page, End reaches the last one, the focused row stays', { skip }, () =>
  withPage(many(20_000), async opened => {
    const { page } = opened;
    const count = (): Promise<number> => page.locator('.tr.body').count();
    assert.ok((await count()) <= 80);
    assert.equal(await page.locator('.tg').getAttribute('aria-rowcount'), '20003');
    await page.locator('.tr.body').first().click();
    await page.locator('.tg').evaluate(table => table.scrollTo(0, 200_000));
    await page.waitForTimeout(100);
    assert.ok((await count()) <= 80);
    assert.equal(await focused(opened), 'block.0.weight');
    await page.keyboard.press('End');
    await page.waitForFunction(() => (document.activeElement as HTMLElement).dataset.id === 'file.header');
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('aria-rowindex')), '20002');
  }),
);

test('20,000 tensors: scrolling draws the rows in view and no others', { skip }, () =>
  withPage(many(20_000), async ({ page }) => {
    const most = await page.locator('.tg').evaluate(async table => {
      let rows = 0;
      for (let step = 1; step <= 60; step++) {
        table.scrollTop = step * 700;
        table.dispatchEvent(new Event('scroll'));
        await new Promise(requestAnimationFrame);
        rows = Math.max(rows, table.querySelectorAll('.tr.body').length);
      }
      return rows;
    });
    assert.ok(most > 10 && most < 100, `${most} rows in the page`);
    assert.ok(await page.locator('.tr.body[data-index="1909"]').count(), 'the rows at the end of the scrolling are there');
  }),
);

test('names from files are only ever text', { skip }, async () => {
  const hostile = [
    '<script>window.harmed = 1</script>',
    '"><img src=x onerror="window.harmed=1">',
    'a\0b\u202Egpj.c',
    'x'.repeat(10_000),
    '__proto__',
    '',
  ];
  const summary = notBert(hostile.map((name, index) => tensor(`t${index}`, [4, 4], { title: name, name })));
  const unsafeIds = notBert(hostile.map(name => tensor(`${name}"]`, [4, 4], { title: name, name })));
  for (const one of [summary, unsafeIds])
    await withPage({ ...one, file: { ...one.file, name: hostile[0]! } }, async opened => {
      const { page } = opened;
      assert.equal(await page.evaluate(() => 'harmed' in window), false);
      assert.equal(await page.locator('.tr.body script, .tr.body img').count(), 0);
      assert.match((await page.locator('.tr.body bdi').nth(2).textContent())!, /^a␀b/);
      for (let index = 0; index < hostile.length; index++) {
        await page.locator(`.tr.body[data-index="${index}"]`).click();
        assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), true);
      }
    });
});

test('buttons call the host, and disabled ones do not', { skip }, async () => {
  const methods = (opened: OpenedPage): string[] => opened.calls.map(call => call.method);
  await withPage(minilm(), async opened => {
    const { page } = opened;
    await page.getByRole('button', { name: 'Quantize to int8' }).click();
    await page.getByRole('button', { name: 'Compress…' }).click();
    await page.getByRole('button', { name: 'Compare…' }).click();
    await row(opened, 'pooler').click();
    await page.getByRole('button', { name: 'Copy id' }).click();
    await page.waitForFunction(() => document.getElementById('live')?.textContent === 'Copied');
    assert.deepEqual(methods(opened), ['view', 'quantize', 'openCompress', 'openCompare', 'copyText']);
    assert.deepEqual(opened.calls.at(-1)!.args, ['pooler']);

    opened.emit('view', ready(minilm(), { deleted: true }));
    await page.waitForSelector('.banner');
    await page.locator('vscode-button', { hasText: 'Quantize' }).click({ force: true });
    assert.equal(methods(opened).length, 5);
    opened.emit('view', ready(minilm(), { changedOnDisk: true }));
    await page.getByRole('button', { name: 'Reload' }).click();
    assert.equal(methods(opened).at(-1), 'reload');
  });
});

test('a broken file says what is wrong, where, and what can be done', { skip }, async () => {
  const opened = await openPage(browser, { page: 'editor', api: editorApi(states.failed!()) });
  const alert = opened.page.getByRole('alert');
  assert.match(
    (await alert.textContent())!,
    /This file is cut short\..*90,868,376 bytes.*41,156,608.*model\.safetensors, byte 808,080.*get the file again/,
  );
  await opened.page.getByRole('button', { name: 'Open again' }).click();
  await opened.page.getByRole('button', { name: 'Show log' }).click();
  assert.deepEqual(
    opened.calls.map(call => call.method),
    ['view', 'reload', 'showLog'],
  );
  await opened.close();
});

test('while a file opens, the line appears after 0.2 s, and stands still with reduced motion', { skip }, async () => {
  const opened = await openPage(browser, { page: 'editor', api: editorApi(states.opening!()), reducedMotion: true });
  await opened.page.waitForSelector('main header');
  await opened.page.waitForSelector('[role=progressbar] i');
  assert.equal(await opened.page.locator('.prog i').evaluate(line => getComputedStyle(line).animationName), 'none');
  opened.emit('view', ready(minilm()));
  await opened.page.waitForSelector('.tr.body');
  assert.deepEqual(opened.errors, []);
  await opened.close();
});

for (const [locale, bundle] of Object.entries(languages))
  test(`from 300 to 1,400 px nothing scrolls sideways and no button leaves the page: ${locale}`, { skip }, () =>
    withPage(
      minilm(),
      async ({ page }) => {
        await page.locator('.tr.body[data-id="embeddings.word_embeddings.weight"]').click();
        await page.waitForSelector('.heat');
        for (const width of [300, 340, 420, 559, 560, 659, 660, 959, 960, 1119, 1120, 1400]) {
          await page.setViewportSize({ width, height: 700 });
          await page.waitForTimeout(30);
          const out = await page.evaluate(() => {
            const over = [...document.querySelectorAll('vscode-button, .seg, vscode-text-field, .tr.head > span, .tot')].filter(
              element => element.getBoundingClientRect().right > window.innerWidth + 0.5,
            );
            const table = document.querySelector('.tg')!;
            return [
              document.documentElement.scrollWidth > window.innerWidth ? 'page' : '',
              table.scrollWidth > table.clientWidth ? 'table' : '',
              ...[...document.querySelectorAll('.pane')]
                .filter(pane => pane.scrollWidth > pane.clientWidth)
                .map(pane => pane.className),
              ...over.map(element => element.className || element.tagName),
            ].filter(Boolean);
          });
          assert.deepEqual(out, [], `${width} px`);
        }
      },
      { locale, bundle },
    ),
  );

test('a narrow page shows one view at a time, and keeps its commands in one menu', { skip }, () =>
  withPage(
    minilm(),
    async ({ page }) => {
      await page.getByRole('tab', { name: 'Tensors' }).focus();
      await page.keyboard.press('ArrowRight');
      assert.equal(await page.getByRole('tab', { name: 'Heads' }).getAttribute('aria-selected'), 'true');
      assert.equal(await page.locator('.hg').isVisible(), true);
      assert.equal(await page.locator('.tg').count(), 0);
      await page.getByRole('button', { name: 'More' }).click();
      assert.deepEqual(await page.getByRole('menuitem').allTextContents(), [
        'Quantize to int8',
        'Compress…',
        'Compare…',
        'Redundancy…',
        'What does each layer cost?',
        'Expand all',
        'Collapse all',
        'Copy table',
        'Copy table as Markdown',
      ]);
      await page.keyboard.press('Escape');
      assert.equal(await page.getByRole('menu').count(), 0);
      assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('aria-label')), 'More');
    },
    { width: 420, height: 600 },
  ),
);
