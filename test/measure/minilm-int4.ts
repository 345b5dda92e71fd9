// Measures blocks of 8, 4, 3 and 2 bits on all-MiniLM-L6-v2: bytes of the file, Spearman and cosine on STS-B's development set.
//
//     node test/measure/minilm-int4.ts TEXT [ROW…]        from the repository, with ../shared beside it
//
// TEXT: a sentence a line, for rounding by GPTQ (sentences of STS-B's training set, no labels). ROW: some of the rows below, by name.
// No runtime multiplies by 3 bits: those rows are checkpoints, packed, and run as the numbers they stand for.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { minilm } from './minilm.ts';

const [text = '', ...chosen] = process.argv.slice(2);

interface Row {
  /** Options of the quantize pass. */
  readonly options: Readonly<Record<string, unknown>>;
  /** A checkpoint, packed. */
  readonly packed?: true;
}

const gptq = { scheme: 'int4', rounding: 'gptq' };
const packed = { scheme: 'mixed', rounding: 'gptq', embedding_bits: 32 };
const rows: Readonly<Record<string, Row>> = {
  nearest: { options: { scheme: 'int4' } },
  'nearest, whole range of 8 bits': { options: { scheme: 'int4', bits: 8 } },
  'gptq, embeddings 8': { options: gptq },
  'gptq, embeddings 4': { options: { ...gptq, embedding_bits: 4 } },
  'gptq, symmetric': { options: { ...gptq, symmetric: true } },
  'packed, nearest, 3 bits by 64': { options: { ...packed, rounding: 'nearest', bits: 3, block_size: 64 }, packed: true },
  'packed, gptq, 3 bits by 64': { options: { ...packed, bits: 3, block_size: 64 }, packed: true },
  'packed, gptq, 3 bits by 64, symmetric': { options: { ...packed, bits: 3, block_size: 64, symmetric: true }, packed: true },
  'packed, gptq, 2 bits by 32': { options: { ...packed, bits: 2, block_size: 32 }, packed: true },
  'packed, gptq, 4 bits by 64, embeddings 4': { options: { ...gptq, embedding_bits: 4 }, packed: true },
  'packed, gptq, 3 bits by 64, embeddings 8': { options: { ...packed, bits: 3, embedding_bits: 8 }, packed: true },
  'packed, gptq, 2 bits by 32, embeddings 4': {
    options: { ...packed, bits: 2, block_size: 32, embedding_bits: 4 },
    packed: true,
  },
};

const { graph, checkpoint, folder, measure } = minilm();
try {
  for (const [name, { options, packed: isPacked }] of Object.entries(rows)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    if (text === '' && options.rounding === 'gptq') continue;
    const out = join(folder, isPacked ? 'packed' : 'out.onnx');
    const { line } = await measure(isPacked ? checkpoint : graph, out, options, text);
    console.log(`${name}: ${line}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
