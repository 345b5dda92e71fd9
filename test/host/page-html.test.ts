import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageHtml } from '../../src/host/page-html.ts';

const page = (more: object = {}) =>
  pageHtml({
    page: 'diff',
    script: 'https://host/diff.js',
    style: 'https://host/diff.css',
    cspSource: 'https://host',
    nonce: 'abc123',
    locale: 'zh-cn',
    bundle: {},
    ...more,
  });

/** What a browser takes for the text of the script with this opening tag. */
const scriptAfter = (html: string, tag: string): string => html.split(tag)[1]!.split('</script')[0]!;

test('nothing may load but the page’s own script, style, fonts and small pictures', () => {
  const policy = /content="(default-src[^"]*)"/.exec(page())![1]!;
  assert.deepEqual(policy.split('; '), [
    "default-src 'none'",
    "script-src 'nonce-abc123' https://host",
    'style-src https://host',
    'font-src https://host',
    'img-src https://host data:',
  ]);
  assert.doesNotMatch(policy, /unsafe|\*/);
});

test('the page knows its name, language and translations', () => {
  const data = scriptAfter(page({ bundle: { Total: '合计' } }), '<script type="application/json" id="headroom">');
  assert.deepEqual(JSON.parse(data), { page: 'diff', locale: 'zh-cn', bundle: { Total: '合计' } });
});

test('a path or a translation cannot end the script it stands in', () => {
  const hostile = '</script><script>alert(1)</script><!--\u2028';
  const html = page({ bundle: { [hostile]: hostile }, kept: { before: hostile, after: `'";${hostile}` } });
  assert.equal(html.match(/<\/script>/g)!.length, 3);
  assert.doesNotMatch(html, /<!--|\u2028/);
  const data = JSON.parse(scriptAfter(html, '<script type="application/json" id="headroom">'));
  assert.equal(data.bundle[hostile], hostile);
});

test('whatever the page keeps, its state carries what the panel shows', () => {
  const script = scriptAfter(page({ kept: { before: '/a</b>.onnx' } }), '<script nonce="abc123">');
  let state: unknown = { scroll: 7 };
  const fake = { postMessage: () => {}, getState: () => state, setState: (next: unknown) => (state = next) };
  const scope = { acquireVsCodeApi: () => fake };
  new Function('globalThis', 'acquireVsCodeApi', script)(scope, scope.acquireVsCodeApi);
  assert.deepEqual(state, { scroll: 7, kept: { before: '/a</b>.onnx' } });
  const given = (scope.acquireVsCodeApi as () => typeof fake)();
  given.setState({ sort: 'name' });
  assert.deepEqual(given.getState(), { sort: 'name', kept: { before: '/a</b>.onnx' } });
});
