// Builds everything into dist/: the kernels (WebAssembly), the extension host, the engine process, the command line and the three pages.

import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { buildKernels } from './kernels.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
const production = process.argv.includes('--production');

const common = {
  absWorkingDir: root,
  bundle: true,
  minify: production,
  sourcemap: production ? false : 'linked',
  legalComments: 'none',
  logLevel: 'warning',
};
const node = { ...common, platform: 'node', target: 'node20', define: { HEADROOM_VERSION: JSON.stringify(version) } };
// protobufjs and onnx-proto are CommonJS: an ES module bundle of them needs a `require`.
const requireBanner =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

// A native library: it is found beside dist, in node_modules.
const native = ['onnxruntime-node'];

const targets = [
  { ...node, entryPoints: ['src/host/extension.ts'], outfile: 'dist/extension.cjs', format: 'cjs', external: ['vscode'] },
  {
    ...node,
    entryPoints: ['src/engine/main.ts'],
    outfile: 'dist/engine.mjs',
    format: 'esm',
    external: native,
    banner: { js: requireBanner },
  },
  {
    ...node,
    entryPoints: ['src/cli/main.ts'],
    outfile: 'dist/cli.js',
    format: 'esm',
    external: native,
    banner: { js: `#!/usr/bin/env node\n${requireBanner}` },
  },
  {
    ...common,
    platform: 'browser',
    target: 'es2022',
    format: 'esm',
    entryPoints: ['attention', 'compress', 'diff', 'editor', 'redundancy'].map(page => `webview/${page}.tsx`),
    outdir: 'dist/webview',
    jsx: 'automatic',
    jsxImportSource: 'preact',
  },
];

await mkdir(join(root, 'dist'), { recursive: true });
await buildKernels(root);
if (production) await rm(join(root, 'dist'), { recursive: true, force: true });
for (const target of targets) {
  const missing = target.entryPoints.filter(entry => !existsSync(join(root, entry)));
  if (missing.length === 0) await build(target);
  else console.warn(`skipped: ${missing.join(', ')} does not exist`);
}
await writeFile(join(root, 'dist', 'package.json'), '{ "type": "module" }\n');
