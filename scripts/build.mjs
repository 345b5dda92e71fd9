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

/** dist/NAME and, in a folder of that name, what it loads when it is needed. */
const inParts = name => ({ outdir: 'dist', format: 'esm', splitting: true, chunkNames: `${name}/[name]-[hash]` });

const targets = [
  { ...node, entryPoints: ['src/host/extension.ts'], outfile: 'dist/extension.cjs', format: 'cjs', external: ['vscode'] },
  {
    ...node,
    entryPoints: [{ in: 'src/engine/main.ts', out: 'engine' }],
    outExtension: { '.js': '.mjs' },
    ...inParts('engine'),
    external: native,
    banner: { js: requireBanner },
  },
  {
    ...node,
    entryPoints: [{ in: 'src/cli/start.ts', out: 'cli' }],
    ...inParts('cli'),
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
// Parts are named by what is in them: those of the last build would stay.
for (const name of ['engine', 'cli']) await rm(join(root, 'dist', name), { recursive: true, force: true });
for (const target of targets) {
  const missing = target.entryPoints.map(entry => entry.in ?? entry).filter(path => !existsSync(join(root, path)));
  if (missing.length === 0) await build(target);
  else console.warn(`skipped: ${missing.join(', ')} does not exist`);
}
await writeFile(join(root, 'dist', 'package.json'), '{ "type": "module" }\n');
