// biome-ignore-all lint/performance/useDomNodeTextContent: what a person reads is the rendered text
import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { KeptRecord } from '../../src/core/session/types.ts';
import { seriousFindings } from './axe.ts';
import { startSuite, uiTest } from './suite.ts';

// Measuring with the packed extension: onnxruntime comes from the .vsix, not from the repository.

const suite = startSuite();
const ui = uiTest(suite);
const { path } = suite;

const title = 'model.onnx ↔ model.int8.onnx';
/** Comparing, loading both models and reading 64 sentences twice, on a busy machine. */
const measureMs = 60_000;
const measured = (page: Awaited<ReturnType<typeof suite.window.activePage>>) =>
  page.locator('.totals').getByText('cosine to the original').waitFor({ timeout: measureMs });
const totalsOf = async (page: Awaited<ReturnType<typeof suite.window.activePage>>): Promise<string> =>
  (await page.locator('.totals').innerText()).replace(/\s+/g, ' ');
const kept = (): KeptRecord => JSON.parse(readFileSync(path('model.int8.headroom.json'), 'utf8'));

ui('after a compression the comparison measures drift by itself, and keeps it beside the result', async () => {
  await suite.window.menu('model.onnx', 'Quantize to int8');
  const page = await suite.window.diff(title, measureMs);
  await measured(page);
  const totals = await totalsOf(page);
  assert.match(totals, /Quality (0\.9\d+|1) cosine to the original worst (0\.\d+|1) · [\d.]+ % same predictions 64 texts/);
  assert.match(totals, /Speed Measure… [\d.]+ ms from [\d.]+ ms .*loads in [\d.]+ m?s 1 × \d+ tokens, \d threads?/);
  const record = kept();
  assert.equal(record.model.name, 'model.int8.onnx');
  assert.equal(record.made?.recipe.steps[0]?.pass, 'quantize');
  const [newest] = record.evaluations;
  assert.equal(newest?.against, 'model.onnx');
  assert.equal(newest.evaluation.drift?.count, 64);
  assert.equal(newest.evaluation.layers?.length, 5, 'the embeddings and four layers');
  assert.equal(await page.locator('.drift tbody tr').count(), 5);
  await suite.window.screenshot('ui/measured-dark');
  assert.deepEqual(
    readdirSync(suite.workspace).filter(name => name.includes('.headroom-')),
    [],
  );
});

ui('Measure… offers our sentences and files; cancelled, what was known stands there again', async () => {
  const page = await suite.window.activePage();
  const { at } = kept().evaluations[0]!;
  const choose = async () => {
    await page.locator('.totals').getByRole('button', { name: 'Measure…' }).click();
    const rows = suite.window.page.locator('.quick-input-list .monaco-list-row');
    await rows.filter({ hasText: 'The sentences that come with Headroom' }).waitFor();
    return rows;
  };
  const offered = await (await choose()).allInnerTexts();
  for (const words of ['64 sentences', 'A text file…', 'Pairs with scores…', 'Sentences with labels…', 'A task file…'])
    assert.ok(
      offered.some(row => row.includes(words)),
      words,
    );
  await suite.window.screenshot('ui/measure-pick');
  await suite.window.page.locator('.quick-input-list .monaco-list-row').first().click();
  await page.locator('.totals').getByRole('button', { name: 'Cancel' }).click({ timeout: 10_000 });
  await measured(page);
  assert.equal(kept().evaluations[0]!.at, at, 'nothing was kept of it');
  await choose();
  await suite.window.page.locator('.quick-input-list .monaco-list-row').first().click();
  await page.locator('.totals').getByText('Measuring…').first().waitFor();
  await suite.window.screenshot('ui/measuring');
  await measured(page);
  assert.notEqual(kept().evaluations[0]!.at, at);
  assert.equal(kept().evaluations.length, 1, 'the same question has one answer');
});

ui('axe finds nothing serious in the measured comparison, in four themes', async () => {
  const found: string[] = [];
  for (const theme of ['Light Modern', 'Dark High Contrast', 'Light High Contrast', 'Dark Modern']) {
    await suite.window.theme(theme);
    const page = await suite.window.activePage();
    await measured(page);
    for (const finding of await seriousFindings(page)) found.push(`${theme}: ${finding}`);
    await suite.window.screenshot(`ui/measured-${theme.toLowerCase().replaceAll(' ', '-')}`);
  }
  assert.deepEqual(found, []);
});

ui('opened again, the comparison and the file show what was kept, without running anything', async () => {
  const { at } = kept().evaluations[0]!;
  await suite.window.closeTabs();
  const editor = await suite.window.openModel('model.int8.onnx');
  const banner = editor.locator('.banner', { hasText: 'Headroom’s own sentences, English: cosine' });
  await banner.waitFor();
  assert.match(await banner.innerText(), /Measured on .*: cosine (0\.\d+|1) to model\.onnx, worst (0\.\d+|1)\./);
  await suite.window.screenshot('ui/kept-editor');
  assert.deepEqual(await seriousFindings(editor), []);
  await editor.getByRole('button', { name: 'Open the comparison' }).click();
  const page = await suite.window.diff(title, measureMs);
  await measured(page);
  assert.match(await page.locator('.side').innerText(), /How this was made/, 'the recipe comes from the record');
  assert.equal(kept().evaluations[0]!.at, at, 'nothing was measured again');
});

ui('the attention of a head is drawn for a sentence, both models side by side', async () => {
  const diff = await suite.window.activePage();
  await diff.getByRole('button', { name: 'Show attention…' }).click();
  await suite.window.page.locator('.tabs-container .tab.active', { hasText: 'Attention of' }).waitFor();
  const page = await suite.window.activePage();
  await page.getByRole('textbox', { name: 'Sentence' }).fill('The path is steep and stony, so wear proper shoes.');
  await suite.window.page.keyboard.press('Enter');
  await page.locator('.small-maps canvas').first().waitFor({ timeout: measureMs });
  assert.equal(await page.locator('.small-maps canvas').count(), 8, 'four heads of each model');
  await page.getByRole('button', { name: 'Head 1' }).first().click();
  await page.locator('.surface').first().waitFor();
  assert.match(await page.locator('.head-map .read').first().innerText(), /looks at .*%/);
  assert.deepEqual(await seriousFindings(page), []);
  await suite.window.screenshot('ui/attention');
});

ui(
  'two models that Headroom did not make are not run unasked; a run that cannot be says why, also in a narrow window',
  async () => {
    const { window } = suite;
    await window.closeTabs();
    await window.menu('model.onnx', 'Compare With…');
    const rows = window.page.locator('.quick-input-list .monaco-list-row');
    await rows.filter({ hasText: 'vision.safetensors' }).click();
    const page = await window.diff('model.onnx ↔ vision.safetensors', measureMs);
    assert.match(await totalsOf(page), /Quality Not measured Needs sentences.* Measure… Speed Not measured/);
    await window.screenshot('ui/unmeasured');
    await page.locator('.totals').getByRole('button', { name: 'Measure…' }).first().click();
    await rows.filter({ hasText: 'The sentences that come with Headroom' }).click();
    await page.locator('.totals .err').waitFor({ timeout: measureMs });
    assert.match(await page.locator('.totals .err').innerText(), /vision\.safetensors: /);
    await window.screenshot('ui/measure-failed');
    await window.page.setViewportSize({ width: 760, height: 900 });
    assert.deepEqual(await seriousFindings(page), []);
    const overflow = await page.locator('html').evaluate(element => element.scrollWidth - element.clientWidth);
    assert.ok(overflow <= 0, `${overflow} px too wide`);
    await window.screenshot('ui/measure-failed-narrow');
    await window.page.setViewportSize({ width: 1400, height: 900 });
  },
);

ui('a model that changed since is told, in the file and in the comparison', async () => {
  await suite.window.closeTabs();
  const model = readFileSync(path('model.int8.onnx'));
  // One weight table's bytes, deep inside: still a model.
  writeFileSync(path('model.int8.onnx'), model.fill(3, 400_000, 420_000));
  const editor = await suite.window.openModel('model.int8.onnx');
  await editor.locator('.banner', { hasText: 'The model has changed since.' }).waitFor();
});

ui('a damaged record is told and left alone', async () => {
  await suite.window.closeTabs();
  appendFileSync(path('model.int8.headroom.json'), 'x');
  const damaged = readFileSync(path('model.int8.headroom.json'), 'utf8');
  const editor = await suite.window.openModel('model.int8.onnx');
  await editor.locator('.banner', { hasText: 'model.int8.headroom.json' }).waitFor();
  assert.equal(readFileSync(path('model.int8.headroom.json'), 'utf8'), damaged);
});
