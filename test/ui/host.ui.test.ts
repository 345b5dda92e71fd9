import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findChromium } from '../../scripts/setup.mjs';
import { installVSCode, startVSCode, unpackVsix, zipEntries } from '../../scripts/vscode.mjs';
import { bundleHostTests } from '../host/bundle.ts';
import { executableOf, runInDesktop } from '../host/electron.ts';
import { launchBrowser, root } from './window.ts';

// The tests of test/host/in-vscode.ts, which run in the extension host: of the served VS Code, and of a desktop one where there is one.

const vsix = join(root, 'out', 'headroom.vsix');
const chromium = findChromium();
const skip = !chromium
  ? 'skipped: no chromium'
  : !existsSync(vsix)
    ? 'skipped: out/headroom.vsix is not packed (npm run package)'
    : process.platform === 'win32' && 'skipped: the served VS Code runs on Linux and macOS';

/** A payload that is not let through is ignored in silence. */
const silenceMs = 60_000;

test('the tests inside the extension host pass in the served VS Code, on the packed extension', {
  skip,
  timeout: 120_000,
}, async () => {
  installVSCode();
  const folder = mkdtempSync(join(tmpdir(), 'headroom-host-ui-'));
  const extension = unpackVsix(vsix, folder);
  const code = await startVSCode({ testDriver: true });
  const browser = await launchBrowser(chromium!);
  try {
    const page = await browser.newPage();
    const lines: string[] = [];
    await page.exposeFunction('codeAutomationLog', (_: string, args: unknown[]) => void lines.push(args.join(' ')));
    const exit = new Promise<number>((resolve, reject) => {
      setTimeout(() => reject(new Error(`nothing reported within ${silenceMs / 1000} s:\n${code.log()}`)), silenceMs).unref();
      void page.exposeFunction('codeAutomationExit', resolve);
    });
    const remote = (path: string) => `vscode-remote://${code.host}${path}`;
    const payload = [
      ['extensionDevelopmentPath', remote(extension)],
      ['extensionTestsPath', remote(await bundleHostTests())],
      ['skipWelcome', 'true'],
    ];
    await page.goto(`${code.url}/?folder=${folder}&payload=${encodeURIComponent(JSON.stringify(payload))}`);
    const status = await exit;
    const told = lines.filter(line => /^(not )?ok: /.test(line));
    for (const line of told) console.log(`  ${line}`);
    assert.equal(status, 0, lines.filter(line => line.startsWith('not ok')).join('\n'));
    assert.ok(told.length >= 10, `only ${told.length} tests reported`);
  } finally {
    await browser.close();
    await code.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a window of npm start opens the sample as a model by itself', { skip, timeout: 120_000 }, async () => {
  installVSCode();
  const folder = join(root, 'media', 'sample');
  const code = await startVSCode({ vsix, open: join(folder, 'model.onnx') });
  const browser = await launchBrowser(chromium!);
  try {
    const page = await browser.newPage();
    await page.goto(`${code.url}/?folder=${encodeURIComponent(folder)}`);
    const frame = page.frameLocator('iframe.webview.ready').frameLocator('#active-frame');
    await frame.locator('[role=treegrid] [role=row][data-id="embeddings"]').waitFor({ timeout: 60_000 });
    assert.equal(await page.locator('.tabs-container .tab').count(), 1);
  } finally {
    await browser.close();
    await code.stop();
  }
});

test('the package holds what it needs and nothing else, in less than 40 MB, without what only CUDA needs', { skip }, () => {
  const names = [...zipEntries(readFileSync(vsix))].map(({ name }) => name).filter(name => name.startsWith('extension/'));
  const allowed =
    /^extension\/(package(\.nls(\.zh-cn)?)?\.json|(readme|changelog)\.md|LICENSE\.txt|dist\/(extension\.cjs|engine\.mjs|engine\/[\w-]+\.mjs|webview\/(attention|editor|compress|diff|redundancy)\.(js|css)|node_modules\/onnxruntime-(node|common)\/(dist\/(cjs\/)?[\w-]+\.js|(dist\/cjs\/)?package\.json|LICENSE|ThirdPartyNotices\.txt|bin\/napi-v6\/\w+\/\w+\/[\w.]+))|l10n\/bundle\.l10n\.zh-cn\.json|media\/(icon\.png|readme\/\w+\.png|sample\/[^/]+|sentences\/(en|zh)\.txt|walkthrough\/\w+\.md))$/;
  assert.deepEqual(
    names.filter(name => !allowed.test(name)),
    [],
  );
  for (const name of [
    'dist/extension.cjs',
    'dist/engine.mjs',
    'dist/webview/editor.js',
    'dist/webview/diff.css',
    'media/sample/model.onnx',
    'media/sentences/zh.txt',
    'dist/node_modules/onnxruntime-node/ThirdPartyNotices.txt',
    `dist/node_modules/onnxruntime-node/bin/napi-v6/${process.platform}/${process.arch}/onnxruntime_binding.node`,
  ])
    assert.ok(names.includes(`extension/${name}`), name);
  assert.deepEqual(
    names.filter(name => /cuda|tensorrt|provider/i.test(name)),
    [],
  );
  assert.ok(statSync(vsix).size < 40e6, `${statSync(vsix).size} bytes`);
});

/** HEADROOM_DESKTOP=1 downloads one; a path uses that one; else the `code` on the PATH. */
function desktopCode(): { readonly executable?: string } | undefined {
  const wanted = process.env.HEADROOM_DESKTOP;
  if (wanted === '1') return {};
  if (wanted) return { executable: wanted };
  const found = spawnSync(process.platform === 'win32' ? 'where' : 'which', ['code'], { encoding: 'utf8' });
  const executable = found.status === 0 ? executableOf(found.stdout.split('\n')[0]!.trim()) : undefined;
  return executable ? { executable } : undefined;
}

const desktop = desktopCode();
const noDesktop = 'skipped: no desktop VS Code on the PATH (HEADROOM_DESKTOP=1 downloads one)';

test('the same tests pass in a desktop VS Code', { skip: desktop ? false : noDesktop, timeout: 300_000 }, async () => {
  await runInDesktop(desktop!.executable);
});
