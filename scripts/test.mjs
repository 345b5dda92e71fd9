// `npm test`: sets up, builds, checks types and style, runs every test; the last of them in a real VS Code with the packed extension.
// `npm test -- unit` leaves the real VS Code out; `npm test -- test/core/format` runs what is under a folder or a file.
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { continueInProjectNode, findChromium, installDependencies, root, run } from './setup.mjs';

installDependencies();
if (continueInProjectNode(fileURLToPath(import.meta.url))) await main(process.argv.slice(2));

async function main(args) {
  const bin = name => join(root, 'node_modules', '.bin', name);
  const chosen = args.filter(arg => arg !== 'unit');
  findChromium();
  step('build');
  run(process.execPath, ['scripts/build.mjs']);
  step('types');
  run(bin('tsc'), ['-p', '.']);
  run(bin('tsc'), ['-p', 'webview']);
  run(bin('tsc'), ['-p', 'test/webview']);
  step('style');
  run(bin('biome'), ['ci', '--colors=off', '--diagnostic-level=warn', '--error-on-warnings', '.']);
  step('tests');
  const all = testFiles(join(root, 'test'));
  const isUi = file => file.endsWith('.ui.test.ts');
  const files =
    chosen.length > 0 ? all.filter(file => chosen.some(arg => file.startsWith(arg))) : all.filter(file => !isUi(file));
  const ui = chosen.length > 0 || args.includes('unit') ? [] : all.filter(isUi);
  let status = runTests(files);
  if (status === 0 && ui.length > 0) {
    step('package');
    run(process.execPath, ['scripts/package.mjs']);
    step('tests in VS Code');
    status = runTests(ui, ['--test-concurrency=1']);
  }
  process.exitCode = status;
}

function step(name) {
  console.log(`\n== ${name}`);
}

function testFiles(folder) {
  return readdirSync(folder).flatMap(name => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return testFiles(path);
    return name.endsWith('.test.ts') ? [relative(root, path)] : [];
  });
}

function runTests(files, flags = []) {
  const { status } = spawnSync(process.execPath, ['--test', '--test-reporter=spec', ...flags, ...files.sort()], {
    cwd: root,
    stdio: 'inherit',
    // Tests that use onnxruntime directly: the product itself turns its telemetry off.
    env: { ...process.env, ORT_DISABLE_TELEMETRY: '1' },
  });
  return status ?? 1;
}
