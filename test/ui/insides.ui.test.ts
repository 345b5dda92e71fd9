import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { FrameLocator } from 'playwright-core';
import { createSession } from '../../src/core/session/session.ts';
import type { RedundancyView } from '../../src/protocol/messages.ts';
import { seriousFindings } from './axe.ts';
import { until } from './engine-process.ts';
import { scrollAndMeasure } from './frames.ts';
import { callHost } from './page-port.ts';
import { startSuite, uiTest } from './suite.ts';
import { root } from './window.ts';
import { addKnownMatrix, addLargeModel, addManyTensors, headroom } from './workspace.ts';

// Large files stay smooth, and what is shown of the insides of tensors is what stands in the file.

const [rows, columns] = [48, 96];
let known: Float32Array;
const suite = startSuite(folder => {
  addManyTensors(folder, 50_000);
  addLargeModel(folder, 24);
  known = addKnownMatrix(folder, rows, columns, (row, column) => (column === 0 ? 0 : Math.sin(1 + row * columns + column)));
});
const ui = uiTest(suite);
const { path } = suite;

/** The first answer may come from an engine that has just started, on a machine that is busy. */
const openMs = 20_000;

async function open(folder: string, name: string): Promise<FrameLocator> {
  await suite.window.item(folder).click();
  const page = await suite.window.openModel(name);
  await page.getByRole('treegrid').waitFor({ timeout: openMs });
  return page;
}

for (const [what, folder, name] of [
  ['50,000 tensors', 'many', 'many.safetensors'],
  ['4.9 GB', 'large', 'large.safetensors'],
] as const) {
  ui(`a file of ${what} opens, and scrolling all of its rows never stands still for a second`, async () => {
    const started = Date.now();
    const page = await open(folder, name);
    const opened = Date.now() - started;
    await page.getByRole('button', { name: 'Expand all' }).click();
    await page.locator('[role=treegrid] [role=row][data-id]').first().waitFor();
    const frames = await scrollAndMeasure(page, 3000);
    const rate = frames.count / frames.seconds;
    console.log(
      `  ${what}: open in ${opened} ms; ${rate.toFixed(0)} frames a second, longest ${frames.longestMs.toFixed(0)} ms, at most ${frames.mostRows} rows in the page, ${frames.scrolled} px`,
    );
    assert.ok(frames.scrolled > 1000, `it scrolled ${frames.scrolled} px only`);
    assert.ok(frames.mostRows < 300, `${frames.mostRows} rows are in the page at once`);
    assert.ok(frames.longestMs < 1000, `${frames.longestMs} ms without a frame`);
    await suite.window.screenshot(`ui/scrolled-${folder}`);
    await suite.window.closeTabs();
    await suite.window.item(folder).click();
  });
}

/** Exact numbers stand in the titles of what is shown rounded. */
async function exactStatistics(page: FrameLocator): Promise<{ range: string; mean: number; std: number; zeros: string }> {
  const stats = page.locator('dl.stats');
  await stats.waitFor({ timeout: openMs });
  const title = async (at: number) => (await stats.locator('dd').nth(at).getAttribute('title')) ?? '';
  const zeros = ((await stats.locator('dd').nth(3).textContent()) ?? '').split(/\s/)[0]!;
  return { range: await title(0), mean: Number(await title(1)), std: Number(await title(2)), zeros };
}

ui('statistics and values of a matrix are those that were written into the file', async () => {
  const page = await open('known', 'known.safetensors');
  await page.getByRole('button', { name: 'Expand all' }).click();
  await page.locator('[role=treegrid] [role=row][data-id]', { hasText: /known/ }).last().click();
  const { range, mean, std, zeros } = await exactStatistics(page);
  const average = known.reduce((sum, value) => sum + value, 0) / known.length;
  const spread = Math.sqrt(known.reduce((sum, value) => sum + (value - average) ** 2, 0) / known.length);
  assert.equal(range, `${Math.min(...known)} … ${Math.max(...known)}`);
  assert.ok(Math.abs(mean - average) < 1e-9, `${mean} is not ${average}`);
  assert.ok(Math.abs(std - spread) < 1e-9, `${std} is not ${spread}`);
  assert.equal(zeros, String(rows));
  await page.locator('[role=application] canvas').first().waitFor();
  await page.getByRole('button', { name: 'Values' }).click();
  const cell = page.locator('[data-row="3"][data-column="1"][title]');
  await cell.waitFor({ timeout: openMs });
  assert.equal(Math.fround(Number(await cell.getAttribute('title'))), known[3 * columns + 1]);
  await suite.window.screenshot('ui/inside-known');
  assert.deepEqual(await seriousFindings(page), []);
});

/** The save dialog of a VS Code in a browser is an input: takes what is proposed. */
async function acceptDialog(ending: string): Promise<void> {
  const input = suite.window.page.locator('.quick-input-widget input.input');
  await input.waitFor();
  await suite.window.page.waitForFunction(
    ([element, ending]) => (element as { value: string }).value.endsWith(ending as string),
    [await input.elementHandle(), ending] as const,
  );
  await input.press('Enter');
}

ui('Export .npy writes NumPy’s header and every byte of the tensor', async () => {
  const page = await suite.window.activePage();
  await page.getByRole('button', { name: 'Export .npy…' }).click();
  await acceptDialog('known.known.weight.npy');
  await suite.window.notification('known.known.weight.npy is written.').getByRole('button', { name: 'Reveal' }).waitFor();
  const file = readFileSync(path('known/known.known.weight.npy'));
  assert.equal(file.toString('latin1', 0, 6), '\x93NUMPY');
  const start = 10 + file.readUInt16LE(8);
  assert.equal(start % 64, 0);
  assert.match(file.toString('latin1', 10, start), /^\{'descr': '<f4', 'fortran_order': False, 'shape': \(48, 96\), \} *\n$/);
  assert.ok(file.subarray(start).equals(Buffer.from(known.buffer)));
});

ui('Export CSV writes a line for each row, whose numbers read back as they were', async () => {
  const page = await suite.window.activePage();
  await page.getByRole('button', { name: 'Export CSV…' }).click();
  await acceptDialog('known.known.weight.csv');
  const lines = await until('the file', () => {
    const file = path('known/known.known.weight.csv');
    return existsSync(file) && readFileSync(file, 'utf8').trimEnd().split('\r\n');
  });
  assert.equal(lines.length, rows);
  assert.deepEqual(Float32Array.from(lines.flatMap(line => line.split(',').map(Number))), known);
  await suite.window.command('Notifications: Clear All Notifications');
});

interface StatedNode {
  readonly id: string;
  readonly min?: number;
  readonly max?: number;
  readonly mean?: number;
  readonly std?: number;
  readonly zeros?: number;
  readonly children?: readonly StatedNode[];
}

ui('statistics of a query are those of the command line, its heat map has the boundaries of heads', async () => {
  await suite.window.closeTabs();
  const page = await suite.window.openModel('model.onnx');
  const id = 'encoder.layer.1.attention.self.query';
  const row = page.locator(`[role=row][data-id="${id}"]`);
  await page.locator('input[placeholder=Filter]').fill(id);
  await row.click();
  const shown = await exactStatistics(page);
  const find = (node: StatedNode): StatedNode | undefined =>
    node.id === `${id}.weight` ? node : node.children?.map(find).find(Boolean);
  const stated = find((headroom('inspect', path('model.onnx'), '--stats') as { tree: StatedNode }).tree)!;
  assert.deepEqual(shown, {
    ...{ range: `${stated.min} … ${stated.max}`, mean: stated.mean, std: stated.std, zeros: String(stated.zeros) },
  });
  await page.getByRole('application', { name: /128 rows by 128 columns: / }).waitFor();
  assert.equal(await page.locator('.heads-of.rows > *').count(), 4);
  await suite.window.screenshot('ui/inside-query');
  assert.deepEqual(await seriousFindings(page), []);
});

ui('the head grid is coloured by norm, and says the norm of the head that is chosen', async () => {
  const page = await suite.window.activePage();
  const colours = page.getByRole('radiogroup', { name: 'Colour of the heads' });
  await colours.getByText('Norm').click();
  await page.locator('[data-layer="2"][data-head="3"]').click();
  const measures = await createSession().headMeasures(path('model.onnx'));
  const { norm } = measures.find(({ layer, head }) => layer === 2 && head === 3)!;
  await page.locator('.p-heads .chosen', { hasText: norm.toPrecision(3) }).waitFor({ timeout: openMs });
  await suite.window.screenshot('ui/heads-by-norm');
  assert.deepEqual(await seriousFindings(page), []);
});

ui('Export Table… saves what the command line prints as CSV', async () => {
  await suite.window.command('Headroom: Export Table…');
  await acceptDialog('model.csv');
  await suite.window.notification('The table of model.onnx was saved.').waitFor();
  const printed = execFileSync(process.execPath, [join(root, 'dist', 'cli.js'), 'inspect', path('model.onnx'), '--csv']);
  assert.ok(readFileSync(path('model.csv')).equals(printed));
  await suite.window.command('Notifications: Clear All Notifications');
});

/** The host's answers to the page of the panel in front. */
async function untilView(page: FrameLocator, state: RedundancyView['state']): Promise<RedundancyView> {
  for (const started = Date.now(); Date.now() - started < openMs; await wait(100)) {
    const view = (await callHost(page, 'view')) as RedundancyView;
    if (view.state === state) return view;
    if (view.state === 'failed') throw new Error(JSON.stringify(view.failure));
  }
  throw new Error(`the panel is not ${state} within ${openMs} ms`);
}

ui('redundancy is computed when it is asked for, can be cancelled, and a saving opens Compress with its step', async () => {
  await suite.window.closeTabs();
  await suite.window.item('notes.md').click();
  await suite.window.menu('model.onnx', 'Show Redundancy');
  await suite.window.page.locator('.tab.active', { hasText: 'Redundancy in model.onnx' }).waitFor();
  const page = await suite.window.activePage();
  await page.getByRole('button', { name: /^Read 6\.5\sMB$/ }).waitFor();
  const idle = await untilView(page, 'idle');
  assert.deepEqual([idle.name, idle.fileBytes, idle.changedOnDisk], ['model.onnx', 6_452_269, false]);
  await callHost(page, 'run');
  await callHost(page, 'cancel');
  await page.getByText('Cancelled.').waitFor();
  await page.getByRole('button', { name: /^Read/ }).click();
  const ready = await untilView(page, 'ready');
  assert.ok(ready.state === 'ready');
  assert.equal(ready.redundancy.layers?.size, 4);
  assert.equal(ready.redundancy.heads.length, 4);
  await page.locator('#near-zero table').waitFor();
  assert.equal(await page.locator('.thumbs [role=radio]').count(), 4);
  await suite.window.screenshot('ui/redundancy');
  assert.deepEqual(await seriousFindings(page), []);
  // Not what the form proposes by itself.
  const saving = ready.savings.find(({ fileBytes, options }) => fileBytes !== undefined && options.embedding_bits === 32);
  assert.ok(saving?.fileBytes, JSON.stringify(ready.savings));
  const options = Object.entries(saving.options).map(([name, value]) => (name === 'scheme' ? value : `${name} ${value}`));
  await page.getByRole('button', { name: `Compress… Quantize ${options.join(', ')}` }).click();
  await suite.window.page.locator('.tab.active', { hasText: 'Compress model.onnx' }).waitFor();
  const form = await suite.window.activePage();
  // The form tries out what it was filled with: the size is the one the saving announced.
  const size = new RegExp(`${(saving.fileBytes / 1e6).toFixed(1).replace('.', '\\.')}\\sMB`);
  await form.getByText(size).filter({ visible: true }).first().waitFor();
  await suite.window.screenshot('ui/compress-from-saving');
  await suite.window.tab('Redundancy in model.onnx').first().click();
  await page.locator('#near-zero table').waitFor();
});
