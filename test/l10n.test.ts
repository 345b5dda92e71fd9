import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { test } from 'node:test';

const root = resolve(import.meta.dirname, '..');

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap(name => {
    const path = join(folder, name);
    if (name === 'assembly') return [];
    if (statSync(path).isDirectory()) return sources(path);
    return /\.tsx?$/.test(name) ? [path] : [];
  });
}

const literal = String.raw`(?:'((?:[^'\\\n]|\\.)*)'|"((?:[^"\\\n]|\\.)*)"|` + '`((?:[^`\\\\$]|\\\\.)*)`)';
/** Where a sentence for people begins: sentence('…'), fail('code', '…'), t('…'), l10n.t('…'). */
const marks = [
  new RegExp(String.raw`\bsentence\(\s*${literal}`, 'g'),
  new RegExp(String.raw`\bfail\(\s*'[\w-]+',\s*${literal}`, 'g'),
  new RegExp(String.raw`(?<![\w.])t\(\s*${literal}`, 'g'),
  new RegExp(String.raw`\bl10n\.t\(\s*${literal}`, 'g'),
];
/** The same calls with anything but a literal: their text could not be found, so it could not be translated. */
const unmarked = [/\bsentence\(\s*[^'"`)\s]/g, /\bfail\(\s*'[\w-]+',\s*[^'"`)\s]/g, /\bl10n\.t\(\s*[^'"`)\s]/g];
/** Where templates from elsewhere are translated. */
const translators = ['src/core/errors.ts', 'webview/l10n.ts', 'src/host/l10n.ts'];

function templates(): Map<string, string> {
  const found = new Map<string, string>();
  for (const path of [...sources(join(root, 'src')), ...sources(join(root, 'webview'))]) {
    const text = readFileSync(path, 'utf8');
    for (const mark of marks) {
      for (const match of text.matchAll(mark)) {
        const raw = match[1] ?? match[2] ?? match[3] ?? '';
        found.set(
          raw
            .replace(/\\(['"`\\])/g, '$1')
            .replace(/\\u\{?([0-9a-fA-F]{2,6})\}?/g, (_, hex) => String.fromCodePoint(Number.parseInt(hex, 16))),
          relative(root, path),
        );
      }
    }
  }
  return found;
}

const bundle = (): Record<string, string> => JSON.parse(readFileSync(join(root, 'l10n/bundle.l10n.zh-cn.json'), 'utf8'));
const places = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map(match => match[1]!).sort();

test('every sentence a person can meet is a literal', () => {
  const wrong: string[] = [];
  for (const path of [...sources(join(root, 'src')), ...sources(join(root, 'webview'))]) {
    if (translators.includes(relative(root, path))) continue;
    const text = readFileSync(path, 'utf8');
    for (const mark of unmarked)
      for (const match of text.matchAll(mark))
        wrong.push(`${relative(root, path)}: ${text.slice(match.index, match.index + 60)}`);
  }
  assert.deepEqual(wrong, []);
});

test('every sentence a person can meet is in the Chinese bundle, with the same places', () => {
  const translations = bundle();
  const missing: string[] = [];
  for (const [template, path] of templates()) {
    const translation = translations[template];
    if (translation === undefined) missing.push(`${path}: ${template}`);
    else assert.deepEqual(places(translation), places(template), template);
  }
  assert.deepEqual(missing, []);
});

test('the Chinese bundle holds nothing that is no longer said', () => {
  const said = templates();
  assert.deepEqual(
    Object.keys(bundle()).filter(key => !said.has(key)),
    [],
  );
});

test('the manifest has the same keys in English and Chinese, and uses them all', () => {
  const read = (name: string) => JSON.parse(readFileSync(join(root, name), 'utf8')) as Record<string, string>;
  const [english, chinese] = [read('package.nls.json'), read('package.nls.zh-cn.json')];
  assert.deepEqual(Object.keys(chinese).sort(), Object.keys(english).sort());
  const manifest = readFileSync(join(root, 'package.json'), 'utf8');
  const used = [...manifest.matchAll(/"%([\w.-]+)%"/g)].map(match => match[1]!);
  assert.deepEqual([...new Set(used)].sort(), Object.keys(english).sort());
  assert.ok(existsSync(join(root, 'l10n/bundle.l10n.zh-cn.json')));
});
