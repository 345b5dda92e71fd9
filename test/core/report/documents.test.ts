import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sentence } from '../../../src/core/errors.ts';
import { html } from '../../../src/core/report/documents/html.ts';
import { markdown } from '../../../src/core/report/documents/markdown.ts';
import { createSession } from '../../../src/core/session/session.ts';
import { hostile, hostileName, huge, int8, made, pruned, unchanged } from '../../webview/diff-comparisons.ts';

const nb = '\u00a0';
/** Tags, without what stands between them. */
const tags = (page: string): string[] => page.replace(/<style>.*?<\/style>/s, '').match(/<[^>]*>/g) ?? [];

test('Markdown opens with the totals, and says that quality and speed were not measured', () => {
  const lines = markdown(int8()).split('\n');
  assert.equal(lines[0], '# `model.safetensors` → `model.int8.safetensors`');
  assert.ok(lines.includes(`| File size | 90.9${nb}MB | 23.0${nb}MB | −67.8${nb}MB, 3.94 × smaller | −74.6${nb}% |`));
  assert.ok(lines.includes(`| Parameters | 22,713,216 | 22,713,216 | 0 | 0${nb}% |`));
  assert.ok(lines.includes('| Quality | Not measured | Not measured |  |  |'));
  assert.ok(lines.includes('| Speed | Not measured | Not measured |  |  |'));
  assert.ok(lines.includes('Tensors: 39 changed, 39 added, 1 removed, 0 replaced, 64 the same.'));
});

test('Markdown lists changed tensors with type, shape, sizes and error, the largest difference first', () => {
  const lines = markdown(int8()).split('\n');
  const table = lines.slice(lines.findIndex(line => line.startsWith('## Tensors')));
  assert.match(
    table[4]!,
    /^\| `embeddings\.word_embeddings\.weight` \| changed \| fp32 → int8 \| 30522 × 384 \| 46\.9.MB \| 11\.7.MB \| −75\.0.% \| \d\.\d.% \| 0\.99\d+ \|$/,
  );
  assert.ok(
    table.some(line => line.startsWith('| `embeddings.word_embeddings.weight_scale` | added | fp32 | 30522 × 1 | – | 122')),
  );
  assert.ok(table.some(line => /position_ids` \| removed \| int64 .* \| – \| −100\.0.% \|/.test(line)));
});

test('Markdown of 20,000 tensors stops at 200 rows and says what the rest amounts to', () => {
  const text = markdown(huge());
  assert.ok(Buffer.byteLength(text) < 65_536, 'fits a comment');
  assert.match(text, /And 19,800 more, −[\d,.]+.MB in all\./);
  assert.match(text, /And 1 more\./, 'of 201 parts');
});

test('Markdown of a result Headroom made holds its command, recipe, time, peak and what was left alone by reason', () => {
  const comparison = int8();
  const text = markdown(comparison, made(comparison));
  assert.ok(text.includes("```sh\nheadroom quantize '/models/minilm/model.safetensors'"));
  assert.ok(text.includes('"scheme": "int8"'));
  assert.ok(text.includes(`It took 1.8${nb}s, with 212.0${nb}MB of memory at its peak.`));
  assert.ok(text.includes('- a bias is too small to gain, and rounding it costs quality: `embeddings.LayerNorm.bias`, '));
  assert.match(text, /, and 45 more$/m);
  assert.ok(!markdown(comparison, null).includes('How this was made'));
});

test('what a compression told of itself stands in every document; none of it becomes markup', async () => {
  const comparison = int8();
  const known = made(comparison);
  const note = sentence('Blocks of {n} weights <b>|', { n: 64 });
  const report = { ...known.report, notes: [{ note: 'Blocks of 64 weights <b>|', sentence: note }] };
  const told = { ...known, report };
  assert.match(markdown(comparison, told), /\n\nBlocks of 64 weights &#60;b&#62;&#124;\n/);
  assert.ok(html(comparison, told).includes('<p>Blocks of 64 weights &#60;b&#62;|</p>'));
  const json = JSON.parse(await createSession().document(comparison, told, 'json'));
  assert.deepEqual(json.made.report.notes, report.notes);
  assert.deepEqual(json.totals, comparison.totals);
  assert.ok(!('made' in JSON.parse(await createSession().document(comparison, null, 'json'))));
});

test('heads are listed only where their number differs', () => {
  assert.ok(!markdown(int8()).includes('## Heads'));
  assert.ok(markdown(pruned()).includes('| 0 | 12 | 9 |\n| 1 | 12 | 4 |\n| 2 | 12 | 8 |\n| 3 | 12 | 11 |\n| 4 | 12 | 10 |\n\n'));
  assert.ok(html(pruned()).includes('<tr><td>1</td><td class="n">12</td><td class="n">4</td></tr>'));
});

test('a result of the same name is told with its folder', () => {
  const comparison = { ...int8(), names: { before: 'model.safetensors', after: 'model.safetensors' } };
  const known = made(comparison);
  const report = { ...known.report, out: '/models/minilm-int8/model.safetensors' };
  assert.ok(markdown(comparison, { ...known, report }).startsWith('# `model.safetensors` → `minilm-int8/model.safetensors`\n'));
});

test('two equal models say so, without a table of changes', () => {
  const text = markdown(unchanged());
  assert.ok(text.includes('Nothing changed: all 104 tensors are the same.'));
  assert.ok(!text.includes('## Tensors'));
  assert.ok(html(unchanged()).includes('Nothing changed: all 104 tensors are the same.'));
});

test('no name becomes Markdown: every line of a table keeps its columns and nothing is markup', () => {
  const text = markdown(hostile());
  assert.ok(!/<script|<img|javascript:/.test(text));
  assert.ok(!/[\u0000-\u0009\u000b-\u001f\u202e]/.test(text));
  const table = text
    .slice(text.indexOf('## Tensors'))
    .split('\n')
    .filter(line => line.startsWith('|'));
  for (const line of table) assert.equal(line.split('|').length, 11, line);
  assert.ok(
    table.every(line => line.length < 700),
    'a name of 10,000 characters is cut',
  );
});

test('no name becomes HTML: the page has the same tags whatever the names are', () => {
  const [plain, attacked] = [hostile(), hostile()];
  const harmless = JSON.parse(JSON.stringify(plain).replaceAll(JSON.stringify(hostileName).slice(1, -1), 'name')) as typeof plain;
  const inert = { ...harmless, names: { before: 'a.onnx', after: 'b.onnx' } };
  const withoutTitles = (list: string[]) => list.map(tag => tag.replace(/title="[^"]*"/, 'title'));
  assert.deepEqual(withoutTitles(tags(html(attacked))), withoutTitles(tags(html(inert))));
  assert.ok(html(attacked).includes('&#60;script&#62;alert(1)&#60;/script&#62;|`**&#34;&#39;␀⟨U+202E⟩\\'));
});

test('the HTML page is one file: nothing to fetch, no script, and a policy that allows neither', () => {
  const comparison = int8();
  const page = html(comparison, made(comparison));
  assert.ok(page.includes(`content="default-src 'none'; style-src 'unsafe-inline'"`));
  assert.ok(!tags(page).some(tag => /^<(script|link|img|iframe|object)|\s(src|href|on\w+)=/.test(tag)));
  assert.ok(!page.includes('url('));
});

test('the HTML page shows the totals, every level of what changed, and one row for what did not', () => {
  const page = html(int8());
  assert.ok(page.includes(`23.0${nb}MB <span class="muted">from 90.9${nb}MB</span>`));
  assert.equal(page.match(/Not measured/g)?.length, 2);
  assert.equal(
    page.match(/<tr class="changed[^>]*>/g)?.length,
    39 + 39 + 6 * 3 + 2 + 2,
    'matrices, their organs, layers, parts, header and model parts',
  );
  assert.equal(page.match(/>LayerNorm</g)?.length, 13);
  assert.ok(!page.includes('title="embeddings.LayerNorm.weight"'));
  assert.ok(
    page.includes(`<tfoot><tr><td></td><td>Total</td><td></td><td class="n">90.9${nb}MB</td><td class="n">23.0${nb}MB</td>`),
  );
});

test('a document speaks the language it is given', () => {
  const voice = { locale: 'de', say: ({ text }: { text: string }) => text.toUpperCase() };
  assert.ok(html(int8(), null, null, voice).includes('<html lang="de">'));
  assert.ok(markdown(int8(), null, null, voice).includes(`| FILE SIZE | 90,9${nb}MB |`));
});

const latency = { medianMs: 7.2, p90Ms: 8, threads: 2, batch: 1, length: 128, runs: 20 };
const measured = {
  task: 'stsb | <b>',
  metrics: [{ name: 'spearman', value: 86.34, count: 1500 }],
  latency,
  loadMs: 80,
  drift: { cosineMean: 0.98765, cosineMin: 0.943, agreement: 0.9996, kl: null, count: 1500 },
  peakBytes: 312e6,
  runtime: 'onnxruntime-node 1.30.0',
  against: { metrics: [{ name: 'spearman', value: 86.72, count: 1500 }], latency: { ...latency, medianMs: 10.4 }, loadMs: 200 },
  worst: [{ text: '<script>alert(1)</script> | a `text`', cosine: 0.943, before: 0, after: 1 }],
  layers: [
    { id: 'embeddings', measure: 'cosine' as const, mean: 1, min: 1 },
    { id: 'encoder.layer.3', measure: 'cka' as const, mean: 0.99, min: 0.98 },
  ],
  notes: [],
};

test('what was measured stands in both documents, with what it was measured on', () => {
  const [page, text] = [html(int8(), null, measured), markdown(int8(), null, measured)];
  assert.ok(!page.includes('Not measured') && !text.includes('Not measured'));
  assert.ok(text.includes(`| Spearman | 86.72 | 86.34 | \u22120.38 |  |`), text);
  assert.ok(text.includes('| Cosine to the original, mean |  | 0.987 |  |  |'), 'rounded down');
  assert.ok(text.includes(`| Same predictions |  | 99.9${nb}% |  |  |`), 'rounded down: 100 % means all');
  assert.ok(text.includes(`| Speed | 10.4${nb}ms | 7.2${nb}ms | 1.44 × faster |  |`));
  assert.ok(text.includes('1 × 128 tokens, 2 threads, onnxruntime'));
  assert.ok(text.includes('| Layer 3 | CKA | 0.990 | 0.980 |'));
  assert.ok(text.includes('&#60;script&#62;alert(1)&#60;&#47;script&#62; &#124; a &#96;text&#96; | 0.943 | 0 | 1 |'));
  for (const said of ['0.987', 'worst 0.943', '7.2', '1.44 × faster', 'Layer 3', '&#60;script&#62;alert(1)'])
    assert.ok(page.includes(said), said);
  assert.ok(!page.includes('<script'));
});
