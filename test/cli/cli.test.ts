import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { headroom, sample, scratch, shared, unless } from './run.ts';

function assertSums(node: any): void {
  if (!node.children) return;
  for (const measure of ['parameters', 'byteLength'] as const) {
    const sum = node.children.reduce((total: number, child: any) => total + child[measure], 0);
    assert.equal(sum, node[measure], `${measure} of ${node.id}`);
  }
  node.children.forEach(assertSums);
}

test('inspect --json of the sample: 1,594,754 parameters, parts and tree sum to the file', () => {
  const { status, json } = headroom('inspect', sample, '--json');
  assert.equal(status, 0);
  assert.equal(json.version, 1);
  assert.deepEqual([json.file.name, json.file.format, json.file.byteLength], ['model.onnx', 'onnx', statSync(sample).size]);
  assert.equal(
    json.file.parts.reduce((sum: number, part: any) => sum + part.byteLength, 0),
    json.file.byteLength,
  );
  const { family, layers, heads, headDim, hidden, intermediate, vocabulary, parameters, complete } = json.model;
  assert.deepEqual(
    { family, layers, heads, headDim, hidden, intermediate, vocabulary, parameters, complete },
    {
      family: 'bert',
      layers: 4,
      heads: [4, 4, 4, 4],
      headDim: 32,
      hidden: 128,
      intermediate: [512, 512, 512, 512],
      vocabulary: 6000,
      parameters: 1_594_754,
      complete: true,
    },
  );
  assertSums(json.tree);
  assert.equal(json.tree.byteLength, json.file.byteLength);
  // 32 rows of query, key and value with their biases, 32 columns of the output: 4 * 128 * 32 + 3 * 32
  assert.deepEqual([...new Set(json.heads.map((head: any) => head.parameters))], [4 * 128 * 32 + 3 * 32]);
});

test('inspect --stats adds range, mean, spread, zeros and a histogram that holds every value', () => {
  const { json } = headroom('inspect', sample, '--json', '--stats');
  const leaves = (node: any): any[] => (node.children ? node.children.flatMap(leaves) : [node]);
  const word = leaves(json.tree).find(node => node.id.startsWith('embeddings.word_embeddings'));
  assert.equal(word.nonFinite, 0);
  assert.equal(
    word.histogram.counts.reduce((a: number, b: number) => a + b, 0),
    6000 * 128,
  );
  assert.ok(word.min < word.mean && word.mean < word.max && word.std > 0);
});

test('inspect --csv has a row for each node of --json, in its order, with its numbers', () => {
  const { status, stdout } = headroom('inspect', sample, '--csv');
  assert.equal(status, 0);
  const nodesOf = (node: any): any[] => [node, ...(node.children ?? []).flatMap(nodesOf)];
  const nodes = nodesOf(headroom('inspect', sample, '--json').json.tree);
  const [header, ...rows] = stdout.trimEnd().split('\r\n');
  assert.equal(header, 'id,title,kind,parameters,bytes,share,dtype,shape,tensors');
  assert.deepEqual(
    rows.map(row => [
      row.split(',')[0]!.replaceAll('"', ''),
      row
        .match(/,(\d+),(\d+),/)
        ?.slice(1)
        .map(Number),
    ]),
    nodes.map(({ id, parameters, byteLength }) => [id, [parameters, byteLength]]),
  );
});

test('inspect --markdown is a document; two kinds of answer at once are wrong usage', () => {
  const { status, stdout, stderr } = headroom('inspect', sample, '--markdown');
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /^# `model\.onnx`\n\n\| File size \| 6\.5.MB \(6,452,269\) \|/);
  assert.match(stdout, /\| Embeddings \| 49\.22.% \| 784,896 \| 3\.1.MB \|/);
  assert.equal(headroom('inspect', sample, '--markdown', '--csv').status, 2);
  assert.equal(headroom('inspect', sample, '--stats', '--csv').status, 2);
});

test('inspect agrees with expected.json of every generated folder', { skip: unless('generated') }, () => {
  for (const name of [
    'bert-base',
    'albert-base',
    'distilbert-base',
    'electra-base',
    'roberta-base',
    'pruned-heads-bert',
    'tied-mlm',
  ]) {
    const folder = join(shared, 'generated', name);
    const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'));
    for (const file of readdirSync(folder).filter(it =>
      /torchscript\.onnx$|^model\.(twice\.|once\.)?(safetensors|onnx)$/.test(it),
    )) {
      const { json } = headroom('inspect', join(folder, file), '--json');
      assert.equal(json.model.parameters, expected.parameters_total, `${name}/${file}`);
      assert.deepEqual(json.model.heads, expected.architecture.heads_by_layer, `${name}/${file}`);
      assertSums(json.tree);
    }
  }
});

test('quantize writes a quarter of the size; its dry run says so to the byte and writes nothing', () => {
  const folder = scratch();
  const out = join(folder, 'model.int8.onnx');
  const dry = headroom('quantize', sample, '--out', out, '--dry-run', '--json');
  assert.deepEqual(readdirSync(folder), []);
  const { status, json } = headroom('quantize', sample, '--out', out, '--json');
  assert.equal(status, 0);
  assert.deepEqual(
    readdirSync(folder).filter(it => it.includes('headroom') || it.endsWith('.tmp')),
    [],
  );
  assert.equal(json.after.fileBytes, statSync(out).size);
  assert.equal(json.after.fileBytes, dry.json.after.fileBytes);
  assert.deepEqual(dry.json.edits, json.edits);
  assert.equal(json.before.parameters, json.after.parameters);
  assert.ok(json.before.fileBytes / json.after.fileBytes > 3.5, `${json.before.fileBytes} -> ${json.after.fileBytes}`);
  assert.ok(json.edits.length > 24 && json.skipped.length > 0 && json.seconds > 0 && json.peakBytes > 0);
});

test('a recipe of one step gives the same bytes as the command, and flags read as recipe names do', () => {
  const folder = scratch();
  const recipe = join(folder, 'recipe.json');
  writeFileSync(
    recipe,
    JSON.stringify({ version: 1, steps: [{ pass: 'quantize', options: { scheme: 'int8', embedding_bits: 32 } }] }),
  );
  assert.equal(headroom('compress', sample, '--recipe', recipe, '--out', join(folder, 'a.onnx')).status, 0);
  assert.equal(headroom('quantize', sample, '--embedding-bits', '32', '--out', join(folder, 'b.onnx')).status, 0);
  assert.equal(headroom('quantize', sample, '--embedding_bits', '32', '--out', join(folder, 'c.onnx')).status, 0);
  const [a, b, c] = ['a', 'b', 'c'].map(name => readFileSync(join(folder, `${name}.onnx`)));
  assert.ok(a!.equals(b!) && b!.equals(c!));
});

test('compare joins the sample and its int8 row by row: small errors, nothing removed', () => {
  const folder = scratch();
  const out = join(folder, 'model.int8.onnx');
  headroom('quantize', sample, '--out', out);
  const { json } = headroom('compare', sample, out, '--json');
  assert.deepEqual(
    json.rows.filter((row: any) => row.change === 'removed'),
    [],
  );
  const query = json.rows.find((row: any) => row.id === 'encoder.layer.2.attention.self.query.weight');
  assert.equal(query.change, 'changed');
  assert.deepEqual([query.before.dtype, query.after.dtype], ['fp32', 'int8']);
  assert.ok(query.error.relative > 0 && query.error.relative < 0.02 && query.error.cosine > 0.999, JSON.stringify(query.error));
  assert.equal(json.totals.before.fileBytes, statSync(sample).size);
  assert.equal(json.totals.after.fileBytes, statSync(out).size);
  assert.deepEqual([json.outputs, json.task], [null, null]);
  const html = join(folder, 'difference.html');
  assert.equal(headroom('compare', sample, out, '--html', html).status, 0);
  assert.match(readFileSync(html, 'utf8'), /^<!doctype html>/i);
  assert.match(headroom('compare', sample, out, '--markdown').stdout, /model\.int8\.onnx/);
});

test('compare of a model with itself: every row is the same', () => {
  const { json } = headroom('compare', sample, sample, '--json');
  assert.deepEqual([...new Set(json.rows.map((row: any) => row.change))], ['same']);
  assert.ok(json.rows.every((row: any) => row.error.relative === 0 && row.error.cosine === 1 && row.error.maxAbs === 0));
});

test('failures have their own sentence, code and status, and lose nothing', () => {
  const folder = scratch();
  const out = join(folder, 'model.int8.onnx');
  writeFileSync(out, 'precious');
  const exists = headroom('quantize', sample, '--out', out, '--json');
  assert.deepEqual([exists.status, exists.json.error.code], [1, 'output-exists']);
  assert.equal(readFileSync(out, 'utf8'), 'precious');
  assert.equal(headroom('quantize', sample, '--out', out, '--force').status, 0);

  const copy = join(folder, 'copy.onnx');
  copyFileSync(sample, copy);
  const itself = headroom('quantize', copy, '--out', copy, '--force', '--json');
  assert.deepEqual([itself.status, itself.json.error.code], [1, 'output-is-input']);
  assert.ok(readFileSync(copy).equals(readFileSync(sample)));

  const again = headroom('quantize', out, '--out', join(folder, 'again.onnx'), '--json');
  assert.deepEqual([again.status, again.json.error.code], [1, 'nothing-to-do']);
  assert.match(again.json.error.message, /already quantized/);

  const missing = headroom('inspect', join(folder, 'nothing.onnx'), '--json');
  assert.deepEqual([missing.status, missing.json.error.code], [1, 'not-found']);
  const text = join(folder, 'text.onnx');
  writeFileSync(text, 'hello, this is not a model');
  const notModel = headroom('inspect', text, '--json');
  assert.deepEqual([notModel.status, notModel.json.error.code], [1, 'not-a-model']);
  assert.match(notModel.json.error.message, /text\.onnx.*hello/);
});

test('wrong usage is status 2 and says how it is used', () => {
  for (const args of [
    ['quantize', sample],
    ['quantise', sample],
    ['inspect'],
    ['quantize', sample, '--out', 'x.onnx', '--embedding-bits', 'eight'],
    ['quantize', sample, '--out', 'x.onnx', '--scheme', 'int7'],
  ]) {
    const { status, stdout, stderr } = headroom(...args);
    assert.equal(status, 2, `${args.join(' ')}: ${stderr}`);
    assert.equal(stdout, '');
    assert.ok(stderr.length > 0);
  }
  assert.equal(headroom('quantize', '-h').status, 0);
  assert.match(headroom('compare', '-h').stdout, /Example:/);
});

test('a wrong recipe says which step, which option, what was found and what is allowed', () => {
  const folder = scratch();
  const attempt = (recipe: unknown) => {
    const path = join(folder, 'recipe.json');
    writeFileSync(path, JSON.stringify(recipe));
    return headroom('compress', sample, '--recipe', path, '--out', join(folder, 'x.onnx'), '--json');
  };
  for (const recipe of [
    {},
    { version: 2, steps: [] },
    { version: 1, steps: [{ pass: 'shrink', options: {} }] },
    { version: 1, steps: [{ pass: 'quantize', options: { scheme: 'int7' } }] },
    { version: 1, steps: [{ pass: 'quantize', options: { embeding_bits: 8 } }] },
  ]) {
    const { status, json } = attempt(recipe);
    assert.deepEqual([status, json.error.code], [1, 'bad-recipe'], JSON.stringify(recipe));
  }
  assert.match(
    attempt({ version: 1, steps: [{ pass: 'quantize', options: { embeding_bits: 8 } }] }).json.error.hint,
    /embedding_bits/,
  );
});

test('config and tokenizer go with the model into another folder', () => {
  const folder = scratch();
  const out = join(folder, 'int8');
  assert.equal(headroom('quantize', sample, '--out', `${out}/`).status, 0);
  assert.deepEqual(readdirSync(out).sort(), [
    'config.json',
    'model.onnx',
    'tokenizer.json',
    'tokenizer_config.json',
    'vocab.txt',
  ]);
  assert.ok(readFileSync(join(out, 'vocab.txt')).equals(readFileSync(join(dirname(sample), 'vocab.txt'))));
});

test('a safetensors model becomes a compressed-tensors folder with its own config.json', {
  skip: unless('models/sample-sst2'),
}, () => {
  const source = join(shared, 'models/sample-sst2');
  const folder = scratch();
  assert.equal(headroom('quantize', join(source, 'model.safetensors'), '--out', `${folder}/int8/`).status, 0);
  const config = JSON.parse(readFileSync(join(folder, 'int8/config.json'), 'utf8'));
  assert.equal(config.quantization_config.quant_method, 'compressed-tensors');
  assert.deepEqual(config.id2label, JSON.parse(readFileSync(join(source, 'config.json'), 'utf8')).id2label);
  mkdirSync(join(folder, 'beside'));
  for (const name of ['model.safetensors', 'config.json']) copyFileSync(join(source, name), join(folder, 'beside', name));
  const beside = headroom(
    'quantize',
    join(folder, 'beside/model.safetensors'),
    '--out',
    join(folder, 'beside/model.int8.safetensors'),
    '--json',
  );
  assert.deepEqual([beside.status, beside.json.error.code], [1, 'output-exists']);
  assert.deepEqual(readdirSync(join(folder, 'beside')).sort(), ['config.json', 'model.safetensors']);
});

test('passes --json names every pass, its options and its source', () => {
  const { json } = headroom('passes', '--json');
  const quantize = json.passes.find((pass: any) => pass.id === 'quantize');
  assert.ok(quantize.source.length > 0);
  assert.deepEqual(quantize.options.find((it: any) => it.name === 'scheme').default, 'int8');
});
