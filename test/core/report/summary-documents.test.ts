import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sentence } from '../../../src/core/errors.ts';
import { summaryCsv } from '../../../src/core/report/documents/summary-csv.ts';
import { summaryMarkdown } from '../../../src/core/report/documents/summary-markdown.ts';
import type { Summary, TreeNode } from '../../../src/core/report/tree.ts';

const nb = '\u00a0';
const leaf = (id: string, side: number, name = id): TreeNode => ({
  ...{ id, kind: 'tensor', title: 'Weight', parameters: side * side, byteLength: 4 * side * side },
  ...{ dtype: 'fp32', shape: [side, side], tensors: [name] },
});

/** A model of two linears; `names` are those in the file. */
function small(...names: string[]): Summary {
  const children = names.map((name, index): TreeNode => {
    const tensor = leaf(`pooler.${index}.weight`, 10, name);
    const { parameters, byteLength } = tensor;
    return { id: `pooler.${index}`, kind: 'linear', title: `Dense ${index}`, parameters, byteLength, children: [tensor] };
  });
  const [parameters, byteLength] = [100 * names.length, 400 * names.length];
  return {
    version: 1,
    file: { name: 'small.onnx', format: 'onnx', byteLength, parts: [] },
    model: {
      ...{ family: 'bert', task: 'none', hidden: 10, layers: 1, heads: [2], headDim: 5, intermediate: [40], vocabulary: 30_522 },
      ...{ positions: 512, parameters, byteLength, complete: true, dtypes: [{ dtype: 'fp32', byteLength }] },
    },
    tree: { id: 'model', kind: 'model', title: 'small.onnx', parameters, byteLength, children },
    heads: [0, 1].map(head => ({ layer: 0, head, parameters: 50, byteLength: 200 + head })),
    warnings: [{ code: 'x', message: 'Seen.', sentence: sentence('Seen.') }],
  };
}

/** By the grammar of RFC 4180, section 2, strictly: throws where a line does not follow it. */
function parseCsv(text: string): string[][] {
  const records: string[][] = [];
  for (let at = 0; at < text.length; ) {
    const record: string[] = [];
    for (;;) {
      const [whole, quoted, plain] = /"((?:[^"]|"")*)"|([^",\r\n]*)/y.exec(text.slice(at))!;
      record.push(quoted === undefined ? plain! : quoted.replaceAll('""', '"'));
      at += whole.length;
      if (text[at] === ',') at += 1;
      else break;
    }
    assert.equal(text.slice(at, at + 2), '\r\n', `byte ${at}`);
    at += 2;
    records.push(record);
  }
  return records;
}

test('CSV has a row for each node in the order of the tree, with exact numbers', () => {
  const [header, ...rows] = parseCsv(summaryCsv(small('a', 'b')));
  assert.deepEqual(header, ['id', 'title', 'kind', 'parameters', 'bytes', 'share', 'dtype', 'shape', 'tensors']);
  assert.deepEqual(
    rows.map(([id]) => id),
    ['model', 'pooler.0', 'pooler.0.weight', 'pooler.1', 'pooler.1.weight'],
  );
  assert.deepEqual(rows[2], ['pooler.0.weight', 'Weight', 'tensor', '100', '400', '0.5', 'fp32', '10x10', 'a']);
});

test('CSV keeps names with quotes, commas, line ends and right-to-left marks whole', () => {
  const names = ['say "a, b"', 'two\r\nlines', '\u202eevil; more', 'x'.repeat(100_000), '模型.权重'];
  const rows = parseCsv(summaryCsv(small(...names)));
  assert.deepEqual(
    rows.filter(row => row[2] === 'tensor').map(row => row[8]),
    names,
  );
  assert.ok(rows.every(row => row.length === 9));
});

test('no cell of the CSV is a formula to a spreadsheet', () => {
  const names = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\uff1d1', '=cmd|"/c calc"!A1', 'a;=1+1'];
  const text = summaryCsv(small(...names));
  for (const row of parseCsv(text)) for (const cell of row) assert.doesNotMatch(cell, /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/);
  // Where semicolons separate columns, the quotes hold the cell together.
  assert.ok(text.includes('"a;=1+1"'));
});

test('Markdown says what the model is, where its parameters are, its heads, tensors and notes', () => {
  const lines = summaryMarkdown(small('a', 'b')).split('\n');
  for (const line of [
    '# `small.onnx`',
    `| File size | 800${nb}B (800) |`,
    '| Layers | 1 × 10 |',
    '| Heads in a layer | 2 × 5 |',
    `| Dense 0 | 50.00${nb}% | 100 | 400${nb}B |`,
    `| 0 | 2 | 50 | 200${nb}B–201${nb}B |`,
    `| \`pooler.0.weight\` | \`a\` | fp32 | 10 × 10 | 50.00${nb}% | 100 | 400${nb}B |`,
    '- Seen&#46;',
  ])
    assert.ok(lines.includes(line), `${line} in\n${lines.join('\n')}`);
});

test('no name becomes markup in Markdown, and 3,000 tensors fit a comment', () => {
  const hostile = summaryMarkdown(small('<script>alert(1)</script>', '`a` | [b](javascript:1)', '![x](y)'));
  assert.doesNotMatch(hostile, /<script|\]\(|!\[/);
  const names = Array.from({ length: 3000 }, (_, index) => `some.prefix.encoder.layer.${index}.attention.self.query.weight`);
  const many = summaryMarkdown(small(...names));
  assert.ok(many.length < 65_536, `${many.length}`);
  assert.match(many, /And 2,900 more\./);
});
