// Measures bits chosen for a size against the same bits in every layer, on all-MiniLM-L6-v2: for each even file, the chosen one of its
// bytes, both rounded by GPTQ. Spearman and cosine on STS-B's development set.
//
//     node test/measure/minilm-mixed.ts TEXT [onnx | safetensors]        from the repository, with ../shared beside it
//
// TEXT: a sentence a line (sentences of STS-B's training set, no labels): what bits are measured and weights rounded on.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { minilm } from './minilm.ts';

const [text, format] = process.argv.slice(2);
if (text === undefined) throw new Error('a text to choose and round on is missing');

const even = {
  onnx: [
    { bits: 4, embedding_bits: 8 },
    { bits: 4, embedding_bits: 4 },
    { bits: 2, embedding_bits: 8 },
  ],
  safetensors: [
    { bits: 4, embedding_bits: 8 },
    { bits: 3, embedding_bits: 8 },
    { bits: 3, embedding_bits: 4 },
  ],
} as const;

const { graph, checkpoint, folder, measure } = minilm();
try {
  for (const [kind, rows] of Object.entries(even)) {
    if (format !== undefined && format !== kind) continue;
    const [path, out] = kind === 'onnx' ? [graph, join(folder, 'out.onnx')] : [checkpoint, join(folder, 'out')];
    for (const row of rows) {
      const { fileBytes, line } = await measure(path, out, { scheme: 'mixed', rounding: 'gptq', ...row }, text);
      console.log(`${kind}, ${row.bits} bits, embeddings ${row.embedding_bits}: ${line}`);
      const chosen = await measure(path, out, { scheme: 'mixed', budget: fileBytes / 1e6 }, text);
      console.log(`${kind}, chosen for ${fileBytes} bytes: ${chosen.line}`);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
