// Measures prune-vocabulary on all-MiniLM-L6-v2: kept to what the sentences of STS-B train use, judged on STS-B dev.
//
//     node test/measure/minilm-vocabulary.ts        from the repository, with ../shared beside it
//
// Bytes of the file, cosine of sentence vectors to the original's, Spearman's correlation (mean pooling, 1,500 pairs) before and after.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { commaSeparated } from '../../src/core/evaluation/table.ts';
import { createSession } from '../../src/core/session/session.ts';

const shared = resolve(import.meta.dirname, '../../../shared');
const path = join(shared, 'models/minilm');
const stsb = join(shared, 'third-party/eval/stsb');
const session = createSession();
const temporary = mkdtempSync(join(tmpdir(), 'minilm-vocabulary-'));
try {
  const corpus = join(temporary, 'train.txt');
  const rows = commaSeparated(readFileSync(join(stsb, 'stsb-en-train.csv'), 'utf8'));
  writeFileSync(corpus, rows.flatMap(({ cells }) => cells.slice(0, 2)).join('\n'));
  const out = join(temporary, 'pruned/model.safetensors');
  const recipe = { version: 1, steps: [{ pass: 'prune-vocabulary', options: { keep_from: corpus } }] } as const;
  const { before, after, notes, seconds } = await session.compress({ path, out, recipe });
  const task = `stsb:${join(stsb, 'stsb-en-dev.csv')}`;
  const found = await session.evaluate(out, { task, against: path });
  const spearman = (metrics: typeof found.metrics) => metrics!.find(({ name }) => name === 'spearman')?.value?.toFixed(2);
  console.log(
    `${(before.fileBytes / 1e6).toFixed(1)} MB -> ${(after.fileBytes / 1e6).toFixed(1)} MB in ${seconds.toFixed(1)} s; ${notes?.[0]?.note}\n` +
      `Spearman ${spearman(found.against!.metrics)} -> ${spearman(found.metrics)}, mean cosine ${found.drift?.cosineMean?.toFixed(4)}`,
  );
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
