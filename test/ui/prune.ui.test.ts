import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync } from 'node:fs';
import type { FrameLocator } from 'playwright-core';
import type { Summary } from '../../src/core/report/tree.ts';
import { createSession } from '../../src/core/session/session.ts';
import { seriousFindings } from './axe.ts';
import { startSuite, uiTest } from './suite.ts';
import { headroom } from './workspace.ts';

// Pruning by what units are worth, with the mouse and with keys, and what the comparison shows when only config.json tells of it.

const suite = startSuite();
const ui = uiTest(suite);
const { path } = suite;
/** Scores on text run the model, on a machine that may be busy. */
const runMs = 60_000;

const oneLine = async (page: FrameLocator, selector: string): Promise<string> =>
  (await page.locator(selector).allInnerTexts()).join(' ').replace(/\s+/g, ' ');

async function form(): Promise<FrameLocator> {
  await suite.window.page.locator('.tab.active', { hasText: 'Compress model.onnx' }).waitFor();
  const page = await suite.window.activePage();
  await page.locator('.sum .big').waitFor();
  return page;
}

ui('heads are coloured by their removal cost on text, the slider marks the lowest, and a mouse adds one more', async () => {
  const editor = await suite.window.openModel('model.onnx');
  await editor.getByRole('radio', { name: 'Score' }).click();
  await editor.locator('.hg .cell[aria-label*="score"]').first().waitFor();
  await suite.window.screenshot('ui/prune-heads-magnitude');
  await editor.locator('.score-choice vscode-dropdown').click();
  await editor.locator('.score-choice vscode-option', { hasText: 'reconstruction' }).click();
  await editor.getByRole('button', { name: 'Compute' }).click();
  await editor.locator('.hg .cell[aria-label*="score"]').first().waitFor({ timeout: runMs });
  await editor.locator('#prune-share').focus();
  for (let press = 0; press < 4; press++) await suite.window.page.keyboard.press('ArrowRight');
  const session = createSession();
  const { texts } = await session.ownSentences(path('model.onnx'));
  const scores = await session.scores(path('model.onnx'), { pass: 'prune-heads', by: 'reconstruction', texts });
  const all = scores.layers.flatMap(({ layer, scores: each }) => each.map((score, head) => ({ layer, head, score })));
  const lowest = all.sort((a, b) => a.score - b.score).slice(0, 4);
  for (const { layer, head } of lowest)
    await editor.locator(`.hg .cell[data-layer="${layer}"][data-head="${head}"][aria-selected="true"]`).waitFor();
  assert.match(await oneLine(editor, '.predicted'), /Predicted: cosine ≈ 0\.\d+ without repair, from runs on 64 sentences/);
  await editor.locator('.prune .trial:not(.stale)').waitFor();
  await suite.window.screenshot('ui/prune-heads-scored');
  assert.deepEqual(await seriousFindings(editor), []);
  const more = all[4]!;
  await editor.locator(`.hg .cell[data-layer="${more.layer}"][data-head="${more.head}"]`).click({ modifiers: ['ControlOrMeta'] });
  await editor.getByRole('button', { name: /^Prune selected 5 heads/ }).click();
  const page = await form();
  const remove = await page.getByRole('textbox', { name: 'Remove these', exact: true }).inputValue();
  for (const { layer, head } of all.slice(0, 5)) assert.match(remove, new RegExp(`(^| )${layer}:(\\d+,)*${head}(,|$| )`));
  // The text that they were scored on goes along: the cut is repaired on it.
  assert.match(await page.getByRole('textbox', { name: 'Calibration text', exact: true }).inputValue(), /en\.txt$/);
  await page.getByRole('button', { name: /^Run/ }).first().click();
  const diff = await suite.window.diff('model-prune-heads/model.onnx', runMs);
  assert.equal(await diff.locator('.hg .cell.off').count(), 5);
  await suite.window.screenshot('ui/prune-heads-diff');
});

ui('a copy without its record: the heads that went are struck out by config.json alone', async () => {
  mkdirSync(path('copy'));
  for (const name of ['model.onnx', 'config.json']) copyFileSync(path(`model-prune-heads/${name}`), path(`copy/${name}`));
  const { heads } = await createSession().compare(path('model.onnx'), path('copy/model.onnx'));
  const before = headroom('inspect', path('model.onnx')) as Summary;
  assert.equal(before.heads.length - heads.kept!.flat().length, 5);
});

ui('neurons: the cut is dragged, and the form has what it says', async () => {
  await suite.window.closeTabs();
  const editor = await suite.window.openModel('model.onnx');
  await editor.getByRole('radio', { name: 'Neurons' }).click();
  const curve = editor.getByRole('slider', { name: 'Cut through the neurons’ scores' });
  await curve.waitFor({ timeout: runMs });
  const box = (await curve.locator('svg').boundingBox())!;
  const { mouse } = suite.window.page;
  await mouse.move(box.x + 60, box.y + 60);
  await mouse.down();
  await mouse.move(box.x + 140, box.y + 60, { steps: 8 });
  await mouse.up();
  await editor.getByRole('button', { name: 'Predict the loss' }).click();
  await editor.locator('.predicted >> text=≈').waitFor({ timeout: runMs });
  await editor.locator('.cut .trial:not(.stale)').waitFor();
  await suite.window.screenshot('ui/prune-neurons');
  assert.deepEqual(await seriousFindings(editor), []);
  const said = await oneLine(editor, '.cut');
  const [, size] = /([\d.]+ [KM]B) from/.exec(said)!;
  await editor.getByRole('button', { name: /^Prune \d+\s% of the neurons…/ }).click();
  const page = await form();
  assert.ok((await oneLine(page, '.sum')).includes(size!), `${size} is not in the form`);
  await suite.window.screenshot('ui/prune-neurons-form');
});

for (const [theme, name] of [
  ['Light Modern', 'light'],
  ['Dark High Contrast', 'hc'],
] as const)
  ui(`layers by agreement in ${theme}`, async () => {
    await suite.window.closeTabs();
    await suite.window.theme(theme);
    const editor = await suite.window.openModel('model.onnx');
    await editor.getByRole('radio', { name: 'Whole layers' }).click();
    await editor.locator('.score-choice vscode-dropdown').waitFor();
    if (name === 'light') {
      await editor.locator('.score-choice vscode-dropdown').click();
      await editor.locator('.score-choice vscode-option', { hasText: 'agreement' }).click();
      await editor.getByRole('button', { name: 'Compute' }).click();
    }
    await editor.locator('#prune-layers-share').focus({ timeout: runMs });
    await suite.window.page.keyboard.press('ArrowRight');
    await editor.getByRole('button', { name: /^Remove layer \d…/ }).waitFor();
    await editor.locator('.cut .trial:not(.stale)').waitFor();
    await suite.window.screenshot(`ui/prune-layers-${name}`);
    assert.deepEqual(await seriousFindings(editor), []);
  });
