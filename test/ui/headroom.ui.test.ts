import assert from 'node:assert/strict';
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { FrameLocator } from 'playwright-core';
import type { Comparison } from '../../src/core/report/comparison.ts';
import type { Summary, TreeNode } from '../../src/core/report/tree.ts';
import { seriousFindings } from './axe.ts';
import { engineProcesses, until } from './engine-process.ts';
import { skip, startSuite, uiTest } from './suite.ts';
import { root, rowsOf, totalOf, Window } from './window.ts';
import { addLargeModel, headroom } from './workspace.ts';

const suite = startSuite(folder => addLargeModel(folder, 24));
const ui = uiTest(suite);
const { path } = suite;

const int8Title = 'model.onnx ↔ model.int8.onnx';
/** A comparison reads both models. */
const diffMs = 30_000;

const count = (value: number): string => new Intl.NumberFormat('en').format(value);
const temporaryFiles = (folder: string): string[] =>
  existsSync(folder) ? readdirSync(folder).filter(name => name.includes('.headroom-')) : [];

function* nodesOf(node: TreeNode): Generator<TreeNode> {
  yield node;
  for (const child of node.children ?? []) yield* nodesOf(child);
}

/** Every row that is drawn has the parameters that the command line gives; returns how many there are. */
async function assertRowsMatch(page: FrameLocator, summary: Summary): Promise<number> {
  const nodes = new Map([...nodesOf(summary.tree)].map(node => [node.id, node]));
  const rows = Object.entries(await rowsOf(page));
  for (const [id, cells] of rows) {
    const node = nodes.get(id);
    assert.ok(node, `the page has a row ${id} that the command line does not`);
    if (node.parameters > 0) assert.ok(cells.includes(count(node.parameters)), `${id}: ${count(node.parameters)} in ${cells}`);
  }
  return rows.length;
}

async function headerOf(page: FrameLocator): Promise<string> {
  return (await page.locator('header').allInnerTexts()).join(' ').replace(/\s+/g, ' ');
}

ui('the sample opens with the numbers of the command line: 1,594,754 parameters, 6,452,269 bytes', async () => {
  const summary = headroom('inspect', path('model.onnx')) as Summary;
  assert.equal(summary.model.parameters, 1_594_754);
  assert.equal(summary.file.byteLength, 6_452_269);
  const page = await suite.window.openModel('model.onnx');
  assert.ok((await assertRowsMatch(page, summary)) >= 10);
  await page.getByRole('button', { name: 'Expand all' }).click();
  assert.ok((await assertRowsMatch(page, summary)) >= 20);
  const header = await headerOf(page);
  assert.match(header, /1,594,754 parameters/);
  assert.match(header, /4 layers × 128 · 4 heads of 32/);
  assert.ok((await totalOf(page)).includes('1,594,754'));
  assert.equal(await page.getByRole('grid').getByRole('gridcell').count(), 16);
  await page.locator('body').getByText(count(summary.file.byteLength)).first().waitFor();
});

ui('the page allows no script but its own', async () => {
  const page = await suite.window.activePage();
  const policy = await page.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute('content');
  assert.match(policy ?? '', /^default-src 'none'; script-src 'nonce-[\w+/=]{20,}' /);
  assert.doesNotMatch(policy ?? '', /unsafe/);
});

ui('Quantize to int8 by the context menu writes beside the original, and the comparison opens by itself', async () => {
  const original = statSync(path('model.onnx'));
  await suite.window.menu('model.onnx', 'Quantize to int8');
  const page = await suite.window.diff(int8Title, diffMs);
  const { totals } = headroom('compare', path('model.onnx'), path('model.int8.onnx')) as Comparison;
  assert.equal(totals.after.fileBytes, statSync(path('model.int8.onnx')).size);
  assert.ok(totals.after.fileBytes < 0.3 * totals.before.fileBytes);
  assert.equal(statSync(path('model.onnx')).mtimeMs, original.mtimeMs);
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  const text = (await page.locator('#root').allInnerTexts()).join(' ').replace(/\s+/g, ' ');
  assert.ok(text.includes(`${megabytes(totals.after.fileBytes)} from ${megabytes(totals.before.fileBytes)}`), text.slice(0, 600));
  const rows = await rowsOf(page);
  assert.match(rows['embeddings.word_embeddings']!.join(' '), /fp32 → int8/);
  assert.deepEqual(temporaryFiles(suite.workspace), []);
});

ui('axe finds nothing serious in the editor and the comparison, in four themes', async () => {
  const themes = {
    dark: ['Dark Modern', 'vscode-dark'],
    light: ['Light Modern', 'vscode-light'],
    'high-contrast': ['Dark High Contrast', 'vscode-high-contrast'],
    'high-contrast-light': ['Light High Contrast', 'vscode-high-contrast-light'],
  } as const;
  const found: string[] = [];
  for (const [name, [theme, kind]] of Object.entries(themes)) {
    await suite.window.theme(theme);
    for (const [view, title] of [
      ['editor', 'model.onnx'],
      ['diff', int8Title],
    ] as const) {
      await suite.window.tab(title).first().click();
      const page = await suite.window.activePage();
      await page.locator(`body.${kind}`).waitFor();
      await page.getByRole('treegrid').waitFor();
      await suite.window.screenshot(`ui/${view}-${name}`);
      found.push(...(await seriousFindings(page)).map(finding => `${view}, ${name}: ${finding}`));
    }
  }
  await suite.window.theme(themes.dark[0]);
  assert.deepEqual(found, []);
});

ui('a narrow window shows both views without sideways scrolling', async () => {
  const { page: browserPage } = suite.window;
  await browserPage.setViewportSize({ width: 700, height: 900 });
  for (const [view, title] of [
    ['diff', int8Title],
    ['editor', 'model.onnx'],
  ] as const) {
    await suite.window.tab(title).first().click();
    const page = await suite.window.activePage();
    await page.getByRole('treegrid').waitFor();
    await suite.window.screenshot(`ui/${view}-narrow`);
    const overflow = await page.locator('html').evaluate(element => element.scrollWidth - element.clientWidth);
    assert.ok(overflow <= 0, `${view} is ${overflow} px too wide`);
  }
  await browserPage.setViewportSize({ width: 1400, height: 900 });
});

ui('a reload of the window brings back the editor and the comparison', async () => {
  await suite.window.page.reload();
  await suite.window.untilReady('model.onnx');
  await suite.window.tab(int8Title).first().click();
  const diff = await suite.window.diff(int8Title, diffMs);
  assert.match((await totalOf(diff)).join(' '), /−71\.7 %/);
  // How it was made is remembered too.
  await diff.getByText('How this was made').waitFor();
  await suite.window.tab('model.onnx').first().click();
  const editor = await suite.window.activePage();
  await editor.getByRole('treegrid').waitFor();
  assert.match(await headerOf(editor), /1,594,754 parameters/);
});

ui('an output that exists is only replaced when the person says so', async () => {
  const before = statSync(path('model.int8.onnx'));
  await suite.window.menu('model.onnx', 'Quantize to int8');
  const dialog = suite.window.dialog('model.int8.onnx exists.');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await dialog.waitFor({ state: 'detached' });
  assert.equal(statSync(path('model.int8.onnx')).mtimeMs, before.mtimeMs);

  await suite.window.menu('model.onnx', 'Quantize to int8');
  await dialog.getByRole('button', { name: 'Choose another name' }).click();
  const name = suite.window.page.locator('.quick-input-widget input.input');
  await name.waitFor();
  await suite.window.page.waitForFunction(
    (input: { value: string }) => input.value.endsWith('model.int8-2.onnx'),
    (await name.elementHandle()) as never,
  );
  await name.press('Enter');
  await suite.window.diff('model.onnx ↔ model.int8-2.onnx', diffMs);
  assert.equal(statSync(path('model.int8-2.onnx')).size, before.size);
  assert.equal(statSync(path('model.int8.onnx')).mtimeMs, before.mtimeMs);

  await suite.window.menu('model.onnx', 'Quantize to int8');
  await dialog.getByRole('button', { name: 'Replace' }).click();
  await suite.window.diff(int8Title, diffMs);
  await until('a new model.int8.onnx', () => statSync(path('model.int8.onnx')).mtimeMs > before.mtimeMs);
});

ui('two models selected in the Explorer are compared, the larger first', async () => {
  await suite.window.closeTabs();
  await suite.window.item('model.int8-2.onnx').click();
  await suite.window.item('model.onnx').click({ modifiers: ['ControlOrMeta'] });
  await suite.window.menu('model.onnx', 'Compare Selected Models');
  const page = await suite.window.diff('model.onnx ↔ model.int8-2.onnx', diffMs);
  assert.match((await totalOf(page)).join(' '), /−71\.7 %/);
});

ui('Compare With… asks for the other model and offers those of the folder', async () => {
  await suite.window.closeTabs();
  await suite.window.item('notes.md').click();
  await suite.window.menu('model.onnx', 'Compare With…');
  const choices = suite.window.page.locator('.quick-input-list .monaco-list-row');
  await choices.filter({ hasText: 'Browse…' }).waitFor();
  assert.equal(await choices.filter({ hasText: /^model\.onnx/ }).count(), 0);
  await choices.filter({ hasText: 'model.int8.onnx' }).click();
  const page = await suite.window.diff(int8Title, diffMs);
  assert.match((await totalOf(page)).join(' '), /−71\.7 %/);
});

const generated = join(root, '..', 'shared', 'generated', 'bert-base');
const noGenerated = skip || (existsSync(generated) ? false : 'skipped: no generated models');

ui(
  'a safetensors model has the numbers of PyTorch, and its int8 goes to a folder with its tokenizer',
  async () => {
    await suite.window.closeTabs();
    mkdirSync(path('bert'));
    for (const name of ['config.json', 'tokenizer.json', 'vocab.txt']) cpSync(join(generated, name), path(`bert/${name}`));
    cpSync(join(generated, 'model.safetensors'), path('bert/base.safetensors'));
    await suite.window.item('bert').click();
    const page = await suite.window.openModel('base.safetensors');
    const expected = JSON.parse(readFileSync(join(generated, 'expected.json'), 'utf8')) as { parameters_total: number };
    assert.ok((await headerOf(page)).includes(`${count(expected.parameters_total)} parameters`), await headerOf(page));
    await assertRowsMatch(page, headroom('inspect', path('bert/base.safetensors')) as Summary);
    await page.getByRole('button', { name: 'Quantize to int8' }).click();
    await suite.window.diff('base.safetensors ↔ model.safetensors', diffMs);
    const written = readdirSync(path('bert/base-int8'));
    for (const name of ['model.safetensors', 'config.json', 'tokenizer.json'])
      assert.ok(written.includes(name), `${name} in ${written}`);
    assert.deepEqual(temporaryFiles(path('bert/base-int8')), []);
    await suite.window.item('bert').click();
  },
  noGenerated,
);

ui('Compress… tries the recipe out with exact sizes, runs it, and opens the comparison', async () => {
  await suite.window.closeTabs();
  await suite.window.item('notes.md').click();
  await suite.window.menu('model.onnx', 'Headroom: Compress', 'Compress…');
  await suite.window.page.locator('.tab.active', { hasText: 'Compress model.onnx' }).waitFor();
  const page = await suite.window.activePage();
  const dryRun = headroom('quantize', path('model.onnx'), '--out', path('model.x.onnx'), '--dry-run') as {
    after: { fileBytes: number };
  };
  const size = new RegExp(`${(dryRun.after.fileBytes / 1e6).toFixed(1).replace('.', '\\.')}\\sMB`);
  await page.getByText(size).filter({ visible: true }).first().waitFor();
  await suite.window.screenshot('ui/compress-dark');
  assert.deepEqual(await seriousFindings(page), []);
  rmSync(path('model.int8.onnx'));
  await page.getByRole('button', { name: /^Run/ }).first().click();
  await suite.window.diff(int8Title, diffMs);
  assert.equal(statSync(path('model.int8.onnx')).size, dryRun.after.fileBytes);
});

for (const [name, file, sentence] of [
  ['a file that is cut short says where it ends', 'cut.onnx', /cut short/],
  ['a Git LFS pointer says what it is and what to do', 'pointer.onnx', /Git LFS pointer.*git lfs pull/s],
  ['a web page saved under the name of a model is not a model', 'page.safetensors', /web page saved under the name of a model/],
] as const) {
  ui(name, async () => {
    const page = await suite.window.openModel(file);
    await page.getByText(sentence).first().waitFor();
    await suite.window.screenshot(`ui/${file}`);
    assert.deepEqual(await seriousFindings(page), []);
  });
}

ui('a model that is not a BERT opens with its sizes and says so', async () => {
  await suite.window.item('vision').click();
  const page = await suite.window.openModel('vision.safetensors');
  await page.getByRole('button', { name: 'Expand all' }).click();
  await page.locator('[role=treegrid]').getByText('9,408').first().waitFor();
  await page
    .getByText(/Not a BERT/)
    .first()
    .waitFor();
  await suite.window.screenshot('ui/not-a-bert');
});

/** The model whose work takes long enough to be interrupted. */
async function showLargeModel(): Promise<void> {
  if (await suite.window.item('large.safetensors').isVisible()) return;
  await suite.window.item('large').click();
  await suite.window.item('large.safetensors').waitFor();
}

const noProcesses = skip || (existsSync('/proc') ? false : 'skipped: no /proc to find the engine in');

ui(
  'an engine that is killed in mid-work is said, VS Code lives, and nothing is left behind',
  async () => {
    const { window, code } = suite;
    await window.closeTabs();
    await showLargeModel();
    await window.menu('large.safetensors', 'Quantize to int8');
    await window
      .notification('Quantizing large.safetensors to int8')
      .getByText(/encoder\.layer\.\d+/)
      .waitFor();
    assert.equal(temporaryFiles(path('large/large-int8')).length > 0, true);
    const [pid] = engineProcesses(code.extensions);
    assert.ok(pid, 'no engine to kill');
    process.kill(pid, 'SIGKILL');
    const said = window.notification(/The worker stopped while on .+\. Nothing was written\./);
    await said.getByRole('button', { name: 'Show log' }).waitFor();
    await window.notification('Quantizing').waitFor({ state: 'detached' });
    await window.screenshot('ui/engine-killed');
    await until('the leftovers are gone', () => !existsSync(path('large/large-int8')));
    await window.command('Notifications: Clear All Notifications');
    const page = await window.openModel('large.safetensors');
    await page.getByRole('treegrid').waitFor();
    assert.notEqual(engineProcesses(code.extensions)[0], pid);
  },
  noProcesses,
);

ui('Cancel in the notification stops the work within 2 s, and nothing is left behind', async () => {
  await showLargeModel();
  await suite.window.menu('large.safetensors', 'Quantize to int8');
  const progress = suite.window.notification('Quantizing large.safetensors to int8');
  await progress.getByText(/encoder\.layer\.\d+/).waitFor();
  await suite.window.screenshot('ui/progress');
  const started = Date.now();
  await progress.getByRole('button', { name: 'Cancel' }).click();
  await suite.window.notification('Cancelled. Nothing was written.').waitFor();
  assert.ok(Date.now() - started < 2000, `${Date.now() - started} ms`);
  assert.equal(existsSync(path('large/large-int8')), false);
});

ui('a file that changes on disk says so, and a reload shows what it is now', async () => {
  await suite.window.closeTabs();
  const page = await suite.window.openModel('model.onnx');
  await page.getByRole('treegrid').waitFor();
  copyFileSync(path('model.int8.onnx'), path('model.onnx'));
  await page.getByText('Changed on disk').first().waitFor();
  await page.getByRole('button', { name: 'Reload' }).click();
  await page.locator('header').getByText('1.8').waitFor();
});

const bundle = join(root, 'l10n', 'bundle.l10n.zh-cn.json');
const noBundle = skip || (existsSync(bundle) ? false : 'skipped: l10n/bundle.l10n.zh-cn.json is not there');

ui(
  'in Chinese the menus, both pages and the numbers are Chinese',
  async () => {
    await suite.window.close();
    copyFileSync(join(root, 'media', 'sample', 'model.onnx'), path('zh.onnx'));
    suite.window = await Window.open(suite.browser, suite.code.url, suite.workspace, 'zh.onnx', {
      language: 'zh-cn',
      quantize: '量化为 int8',
    });
    const page = await suite.window.openModel('zh.onnx');
    assert.equal(await page.locator('html').getAttribute('lang'), 'zh-cn');
    await page.getByText('第 0 层').first().waitFor();
    await page.getByText('参数量').first().waitFor();
    await suite.window.screenshot('ui/editor-chinese');
    await suite.window.menu('zh.onnx', '量化为 int8');
    const diff = await suite.window.diff('zh.onnx ↔ zh.int8.onnx', diffMs);
    await diff.locator('.totals').getByText('与原模型的余弦相似度').waitFor({ timeout: diffMs });
    await suite.window.screenshot('ui/diff-chinese');
    assert.deepEqual(await seriousFindings(diff), []);
  },
  noBundle,
);
