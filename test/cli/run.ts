import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
export const shared = resolve(root, '../shared');
export const sample = join(root, 'media/sample/model.onnx');

/** Runs the built command line as a person would; `json` is its standard output read as JSON where that works. */
export function headroom(...args: string[]): { status: number | null; stdout: string; stderr: string; json: any } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'dist/cli.js'), ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  let json: unknown;
  try {
    json = JSON.parse(stdout);
  } catch {
    json = undefined;
  }
  return { status, stdout, stderr, json };
}

/** A folder for one test, removed when the process ends. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'headroom-test-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** For `skip`: false when `path` under the shared folder is there, else why the test is skipped. */
export const unless = (path: string): string | false => (existsSync(join(shared, path)) ? false : `skipped: no ${path}`);
