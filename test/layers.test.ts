import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';

/** Each layer, and the layers it may import beside its own folder and errors.ts. Read top to bottom, this is the architecture. src/README.md shows the same table. */
const layers: Record<string, readonly string[]> = {
  'core/bytes': [],
  'core/tensor': ['core/bytes'],
  'core/model': ['core/tensor'],
  'core/format': ['core/bytes', 'core/tensor', 'core/model'],
  'core/anatomy': ['core/tensor', 'core/model'],
  'core/export': ['core/tensor', 'core/model', 'core/anatomy'],
  'core/kernels': ['core/tensor'],
  'core/calibration': ['core/tensor', 'core/model', 'core/anatomy', 'core/evaluation'],
  'core/passes': ['core/bytes (types)', 'core/tensor', 'core/model', 'core/anatomy', 'core/kernels', 'core/calibration (types)'],
  'core/rewrite': ['core/tensor', 'core/model', 'core/anatomy', 'core/passes'],
  'core/evaluation': ['core/bytes', 'core/tensor', 'core/model', 'core/anatomy', 'core/kernels'],
  'core/report': ['core/tensor', 'core/model', 'core/anatomy', 'core/passes', 'core/kernels'],
  'core/session': ['core/*'],
  protocol: ['core/session (types)', 'core/report (types)', 'core/passes (types)'],
  engine: ['core/session', 'protocol'],
  host: ['protocol', 'vscode'],
  cli: ['core/session', 'core/report', 'core/passes'],
  webview: ['protocol', 'core/report (types)', 'core/passes (types)'],
};

const root = resolve(import.meta.dirname, '..');

function* sources(folder: string): Generator<string> {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (name === 'assembly' || name === 'node_modules') continue;
    if (statSync(path).isDirectory()) yield* sources(path);
    else if (/\.tsx?$/.test(name) && !name.endsWith('.d.ts')) yield path;
  }
}

/** "core/anatomy" for src/core/anatomy/families/bert.ts; "webview" for webview/views/tree.tsx. */
function layerOf(path: string): string {
  const parts = relative(root, path).split('/');
  if (parts[0] === 'webview') return 'webview';
  if (parts[1] === 'core') return `core/${parts[2]!.replace(/\.ts$/, '')}`;
  return parts[1]!;
}

function importsOf(path: string): { specifier: string; types: boolean }[] {
  const text = readFileSync(path, 'utf8');
  const found: { specifier: string; types: boolean }[] = [];
  for (const match of text.matchAll(/^\s*(?:import|export)\s+(type\s)?[^'"`;]*?from\s+['"]([^'"]+)['"]/gms))
    found.push({ specifier: match[2]!, types: match[1] !== undefined });
  for (const match of text.matchAll(/^\s*import\s+['"]([^'"]+)['"]/gm)) found.push({ specifier: match[1]!, types: false });
  for (const match of text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)(\.)?/g))
    found.push({ specifier: match[1]!, types: match[2] === '.' });
  return found;
}

function allows(rule: readonly string[], layer: string, types: boolean): boolean {
  return rule.some(
    entry => entry === layer || (entry === 'core/*' && layer.startsWith('core/')) || (types && entry === `${layer} (types)`),
  );
}

test('imports flow along the layer table only', () => {
  const leaks: string[] = [];
  for (const folder of ['src', 'webview']) {
    for (const path of sources(join(root, folder))) {
      const layer = layerOf(path);
      if (layer === 'core/errors') continue;
      const rule = layers[layer];
      if (!rule) {
        leaks.push(`${relative(root, path)}: ${layer} is not in the table`);
        continue;
      }
      for (const { specifier, types } of importsOf(path)) {
        if (!specifier.startsWith('.')) {
          if (specifier === 'vscode' && layer !== 'host') leaks.push(`${relative(root, path)} imports vscode`);
          continue;
        }
        const target = layerOf(resolve(dirname(path), specifier));
        if (target === layer || target === 'core/errors' || allows(rule, target, types)) continue;
        leaks.push(`${relative(root, path)} imports ${specifier}: ${target} is not below ${layer}`);
      }
    }
  }
  assert.deepEqual(leaks, []);
});

test('src/README.md shows the layer table that is tested', () => {
  const readme = readFileSync(join(root, 'src/README.md'), 'utf8').replace(/ +/g, ' ');
  for (const [layer, rule] of Object.entries(layers)) {
    const row = `| ${layer} | ${rule.length ? rule.join(', ') : 'nothing'} |`;
    assert.ok(readme.includes(row), `src/README.md lacks the row: ${row}`);
  }
});
