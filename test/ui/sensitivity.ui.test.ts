// biome-ignore-all lint/performance/useDomNodeTextContent: what a person reads is the rendered text
import assert from 'node:assert/strict';
import type { FrameLocator } from 'playwright-core';
import { seriousFindings } from './axe.ts';
import { startSuite, uiTest } from './suite.ts';
import { headroom } from './workspace.ts';

// What each layer costs, in the form: measured by a run of the model, and left out of the step by a click.

const suite = startSuite();
const ui = uiTest(suite);
const { path } = suite;
const measuringMs = 60_000;

interface Costs {
  readonly rows: readonly { readonly id: string; readonly drift: number | null }[];
}

let page: FrameLocator;
const afterText = (): Promise<string> => page.locator('.sum .big').innerText();

ui('the menu opens the form at what each layer costs; measuring it shows what the command line says', async () => {
  await suite.window.openModel('model.onnx');
  await suite.window.menu('model.onnx', 'Headroom: Compress', 'What Does Each Layer Cost?');
  await suite.window.page.locator('.tab.active', { hasText: 'Compress model.onnx' }).waitFor();
  page = await suite.window.activePage();
  await page.locator('#cost-title:focus').waitFor();
  await page.locator('.cost vscode-button', { hasText: 'Measure' }).click();
  await page.locator('.costs .cell').first().waitFor({ timeout: measuringMs });
  const { rows } = headroom('sensitivity', path('model.onnx'), '--parts', 'matrices') as Costs;
  const measured = rows.filter(({ drift }) => drift !== null);
  assert.equal(await page.locator('.costs .cell:not(.skipped)').count(), measured.length);
  await page.getByText('As a table').click();
  const most = measured.reduce((best, row) => (row.drift! > best.drift! ? row : best));
  const shown = Number((await page.locator('.as-table tbody td').first().innerText()).replace('−', '-'));
  assert.ok(Math.abs(shown - most.drift!) <= 0.06 * most.drift!, `${shown} is not ${most.drift}`);
  await page.getByText('As a table').click();
  await suite.window.screenshot('ui/sensitivity-dark');
  assert.deepEqual(await seriousFindings(page), []);
});

ui('a click on a cell leaves the matrix out and the form’s sizes follow; Enter puts it back', async () => {
  await page.locator('.sum .chip', { hasText: 'exact' }).waitFor();
  const before = await afterText();
  const cell = page.locator('.costs .cell:not(.wide)').nth(4);
  await cell.click();
  await page.locator('.costs .off').first().waitFor();
  const exclude = page.getByRole('textbox', { name: 'Not these' });
  assert.match(await exclude.inputValue(), /^encoder\.layer\.0\.[\w.]+$/);
  for (let left = 50; left > 0 && (await afterText()) === before; left -= 1) await suite.window.page.waitForTimeout(100);
  assert.notEqual(await afterText(), before);
  await suite.window.screenshot('ui/sensitivity-left-out-dark');
  await cell.press('Enter');
  for (let left = 50; left > 0 && (await afterText()) !== before; left -= 1) await suite.window.page.waitForTimeout(100);
  assert.equal(await afterText(), before);
});

ui('a row that is left out stays so when the page was hidden, and the result lacks nothing but it', async () => {
  await page.getByRole('rowheader', { name: 'Layer 1', exact: true }).click();
  await page.locator('.costs .off').first().waitFor();
  await suite.window.openModel('model.onnx');
  await suite.window.tab('Compress model.onnx').click();
  page = await suite.window.activePage();
  await page.locator('.costs .off').first().waitFor();
  assert.equal(await page.getByRole('textbox', { name: 'Not these' }).inputValue(), 'encoder.layer.1');
  await page.locator('vscode-button', { hasText: 'Run 1 step' }).click();
  const diff = await suite.window.diff('model.onnx', measuringMs);
  const row = diff.locator('[role=row][data-id="encoder.layer.1"]');
  await row.waitFor();
  assert.ok(!(await row.innerText()).includes('−7'), await row.innerText());
  await suite.window.screenshot('ui/sensitivity-result-dark');
});
