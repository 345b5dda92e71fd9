// What a fresh machine needs before anything else runs. No dependencies: it works before `npm ci` has.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Runs a command with its output shown; throws when it fails. */
export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
    ...options,
  });
  if (error || status !== 0)
    throw new Error(`${command} ${args.join(' ')} failed${error ? `: ${error.message}` : ` with status ${status}`}`);
}

/** Installs the dependencies when they are missing or older than the lock file. */
export function installDependencies() {
  const stamp = join(root, 'node_modules', '.headroom-lock');
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  console.log('Installing dependencies…');
  run('npm', ['ci', '--no-audit', '--no-fund']);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, lock);
}

/** Several tools want Node 22 or later: the dependency `node` brings 24. Continues in it when this process is older. Returns false in the process that only waited. */
export function continueInProjectNode(script) {
  if (Number(process.versions.node.split('.')[0]) >= 24) return true;
  const bin = join(root, 'node_modules', '.bin');
  const node = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  const env = { ...process.env, PATH: `${bin}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH}` };
  const { status } = spawnSync(node, [script, ...process.argv.slice(2)], { cwd: root, stdio: 'inherit', env });
  process.exitCode = status ?? 1;
  return false;
}

/** Chromium drives the pages under test: from the system, else Debian's package when that can be installed here. Returns its path or undefined. */
export function findChromium() {
  const candidates = [
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ];
  const found = () => candidates.find(path => existsSync(path));
  if (found() || process.platform !== 'linux' || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return found();
  console.log('Installing chromium…');
  const quiet = { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  try {
    run('apt-get', ['update', '-qq'], quiet);
    run('apt-get', ['install', '-y', '-qq', 'chromium', 'fonts-noto-cjk'], quiet);
  } catch (error) {
    console.warn(String(error));
  }
  return found();
}
