import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import type { FrameLocator } from 'playwright-core';
import type { Summary } from '../../src/core/report/tree.ts';
import { seriousFindings } from './axe.ts';
import { startSuite, uiTest } from './suite.ts';
import { rowsOf } from './window.ts';
import { headroom } from './workspace.ts';

// From a model to the form and back: by the menu, and by heads that are selected in their grid.

const suite = startSuite();
const ui = uiTest(suite);
const { path } = suite;
const diffMs = 30_000;

const oneLine = async (page: FrameLocator, selector: string): Promise<string> =>
  (await page.locator(selector).allInnerTexts()).join(' ').replace(/\s+/g, ' ');

async function form(): Promise<FrameLocator> {
  await suite.window.page.locator('.tab.active', { hasText: 'Compress model.onnx' }).waitFor();
  const page = await suite.window.activePage();
  await page.locator('.pick').first().waitFor();
  return page;
}

ui('the menu Headroom: Compress offers what can be done at once, and the form for the rest', async () => {
  // A window that has just opened does not know yet that its folder is trusted: what writes stays grey until it does.
  await suite.window.openModel('model.onnx');
  await suite.window.menu('model.onnx', 'Headroom: Compress', 'Prune…');
  const page = await form();
  assert.match(await oneLine(page, '.pick'), /Prune heads.*Share to remove 0\.25/);
  await page.locator('.sum .big').waitFor();
  await suite.window.screenshot('ui/compress-prune-dark');
  assert.deepEqual(await seriousFindings(page), []);
});

ui('the calibration text: the sentences that come with Headroom, in the command that is copied', async () => {
  const page = await suite.window.activePage();
  await page.getByRole('button', { name: 'Use the sentences that come with Headroom' }).click();
  await page.getByRole('button', { name: 'Use none' }).waitFor();
  const text = await page.getByRole('textbox', { name: 'Calibration text', exact: true }).inputValue();
  assert.ok(existsSync(text), text);
  assert.ok(readFileSync(text, 'utf8').trim().split('\n').length >= 64);
  await page.getByRole('button', { name: 'Copy command' }).click();
  let command = '';
  for (let left = 50; left > 0 && !command.startsWith('headroom '); left -= 1) {
    await suite.window.page.waitForTimeout(100);
    command = String(await suite.window.page.evaluate('navigator.clipboard.readText()'));
  }
  assert.match(
    command,
    /^headroom prune-heads .*model\.onnx --fraction 0\.25 --calibration .*en\.txt --out .*model-prune-heads\/$/,
  );
});

ui('heads that are selected in the grid are pruned: the form has them as its step, and the result lacks them', async () => {
  await suite.window.closeTabs();
  const editor = await suite.window.openModel('model.onnx');
  const cell = (layer: number, head: number) => editor.locator(`.hg .cell[data-layer="${layer}"][data-head="${head}"]`);
  await cell(0, 1).click();
  await cell(1, 2).click({ modifiers: ['Shift'] });
  await cell(3, 3).click({ modifiers: ['ControlOrMeta'] });
  const before = headroom('inspect', path('model.onnx')) as Summary;
  const each = before.heads[0]!.parameters;
  assert.match(
    await oneLine(editor, '.prune'),
    new RegExp(`5 heads selected · ${new Intl.NumberFormat('en').format(5 * each)} parameters`),
  );
  await suite.window.screenshot('ui/heads-selected-dark');
  assert.deepEqual(await seriousFindings(editor), []);
  await editor.getByRole('button', { name: /^Prune selected 5 heads, saves/ }).click();
  const page = await form();
  const remove = page.getByRole('textbox', { name: 'Remove these', exact: true });
  assert.equal(await remove.inputValue(), '0:1,2 1:1,2 3:3');
  await page.locator('.sum .big').waitFor();
  await page.getByRole('button', { name: /^Run/ }).first().click();
  const diff = await suite.window.diff('model-prune-heads/model.onnx', diffMs);
  const after = headroom('inspect', path('model-prune-heads/model.onnx')) as Summary;
  assert.deepEqual(after.model.heads, [2, 2, 4, 3]);
  assert.equal(before.model.parameters - after.model.parameters, 5 * each);
  await suite.window.screenshot('ui/diff-pruned-dark');
  assert.deepEqual(await seriousFindings(diff), []);
  assert.equal(await diff.locator('.hg .cell.off').count(), 5);
});

ui('of a layer that is removed the row is struck out where it was, and the others are the same', async () => {
  await suite.window.closeTabs();
  await suite.window.menu('model.onnx', 'Headroom: Compress', 'Compress…');
  const page = await form();
  await page.getByRole('button', { name: 'Remove Quantize' }).click();
  await page.locator('.pass', { hasText: 'Prune layers' }).click();
  await page.getByRole('textbox', { name: 'Remove these', exact: true }).fill('1');
  await page.locator('.pass', { hasText: 'Store the big matrices' }).click();
  await page.locator('.sum .big').waitFor();
  await page.locator('vscode-text-field.out[current-value$="model-prune-layers-int8/"]').waitFor();
  await page.getByRole('button', { name: /^Run 2/ }).click();
  const diff = await suite.window.diff('model-prune-layers-int8/model.onnx', diffMs);
  const rows = await rowsOf(diff);
  assert.match(rows['encoder.layer.1']!.join(' '), /−100\.0 %/);
  assert.equal(await diff.locator('.is-removed[data-id="encoder.layer.1"]').count(), 1);
  for (const id of ['encoder.layer.3', 'encoder.layer.3.attention']) await diff.locator(`[data-id="${id}"] .tw`).click();
  await diff.locator('[data-id="encoder.layer.3.attention.self.value"]').click();
  await diff.locator('.matrix canvas').first().waitFor();
  await suite.window.screenshot('ui/diff-matrix-dark');
  assert.deepEqual(await seriousFindings(diff), []);
});

for (const scheme of ['int4', 'fp16']) {
  ui(`Quantize to ${scheme} by the menu writes beside the original, and the comparison opens by itself`, async () => {
    await suite.window.closeTabs();
    await suite.window.menu('model.onnx', 'Headroom: Compress', `Quantize to ${scheme}`);
    const diff = await suite.window.diff(`model.onnx ↔ model.${scheme}.onnx`, diffMs);
    const before = headroom('inspect', path('model.onnx')) as Summary;
    const after = headroom('inspect', path(`model.${scheme}.onnx`)) as Summary;
    assert.ok(after.file.byteLength < 0.6 * before.file.byteLength);
    assert.equal(after.model.parameters, before.model.parameters);
    await diff.locator('[data-id="encoder.layer.0"] .tw').click();
    await diff.locator('[data-id="encoder.layer.0.attention"] .tw').click();
    await diff.locator('[data-id="encoder.layer.0.attention.self.query"]').click();
    await diff.locator('.matrix canvas').first().waitFor();
    await suite.window.screenshot(`ui/diff-${scheme}`);
  });
}

for (const [theme, name] of [
  ['Light Modern', 'light'],
  ['Dark High Contrast', 'hc'],
] as const) {
  ui(`the grid with selected heads and the form in ${theme}`, async () => {
    await suite.window.closeTabs();
    await suite.window.theme(theme);
    const editor = await suite.window.openModel('model.onnx');
    await editor.locator('.hg .rh').nth(2).click();
    await editor.getByRole('button', { name: 'Remove layer 2…' }).waitFor();
    await suite.window.screenshot(`ui/heads-selected-${name}`);
    assert.deepEqual(await seriousFindings(editor), []);
    await editor.getByRole('button', { name: 'Remove layer 2…' }).click();
    const page = await form();
    assert.equal(await page.getByRole('textbox', { name: 'Remove these', exact: true }).inputValue(), '2');
    await page.locator('.sum .big').waitFor();
    await suite.window.screenshot(`ui/compress-layers-${name}`);
    assert.deepEqual(await seriousFindings(page), []);
  });
}
