import { join, resolve } from 'node:path';
import { build } from 'esbuild';

export const root = resolve(import.meta.dirname, '../..');

/** The tests that run inside VS Code as one CommonJS module, which is what VS Code loads. Returns its path. */
export async function bundleHostTests(): Promise<string> {
  const outfile = join(root, 'out', 'test', 'in-vscode.cjs');
  await build({
    entryPoints: [join(root, 'test', 'host', 'in-vscode.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['vscode'],
    logLevel: 'warning',
  });
  return outfile;
}
