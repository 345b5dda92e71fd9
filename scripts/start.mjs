// `npm start`: sets up, builds, and opens a real VS Code on a copy of the sample model: the desktop one when `code` is on the PATH, else the
// served one, whose address it prints. `npm start -- --served` always takes the served one.
// `npm start -- --once` does the main job there without a person, saves a screenshot of each step under out/, prints the numbers, and ends.
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { continueInProjectNode, findChromium, installDependencies, root } from './setup.mjs';

const sample = join(root, 'out', 'sample');

async function main(args) {
  const once = args.includes('--once');
  const { packageExtension } = await import('./package.mjs');
  const vsix = packageExtension();
  if (once) rmSync(sample, { recursive: true, force: true });
  cpSync(join(root, 'media', 'sample'), sample, { recursive: true });
  if (!once && !args.includes('--served') && hasDesktopCode()) openDesktop();
  else if (once) await withServed({ vsix }, mainJob);
  else await withServed({ vsix, open: join(sample, 'model.onnx') }, untilInterrupted);
}

function hasDesktopCode() {
  return spawnSync('code', ['--version'], { stdio: 'ignore', shell: process.platform === 'win32' }).status === 0;
}

function openDesktop() {
  const options = ['--new-window', `--extensionDevelopmentPath=${root}`, sample, join(sample, 'model.onnx')];
  spawn('code', options, { stdio: 'inherit', shell: process.platform === 'win32' });
  console.log(`VS Code opens on ${sample}.`);
}

async function withServed({ vsix, open }, work) {
  const { installVSCode, startVSCode } = await import('./vscode.mjs');
  installVSCode();
  const code = await startVSCode({ vsix, ...(open && { open }) });
  try {
    await work(code);
  } finally {
    await code.stop();
  }
}

async function untilInterrupted({ url }) {
  console.log(`\nVS Code runs at  ${url}/?folder=${encodeURIComponent(sample)}`);
  console.log('Open it in a browser: model.onnx opens by itself. Ctrl+C ends it.');
  await new Promise(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, resolve);
  });
}

async function mainJob({ url }) {
  const chromium = findChromium();
  if (!chromium) throw new Error('--once needs chromium, and none was found. Install it, or run npm start without --once.');
  const { runMainJob } = await import('../test/ui/main-job.ts');
  await runMainJob({ url, chromium, folder: sample });
}

installDependencies();
if (continueInProjectNode(fileURLToPath(import.meta.url))) {
  await main(process.argv.slice(2)).catch(error => {
    console.error(`npm start did not work: ${error.stack ?? error}`);
    process.exitCode = 1;
  });
}
