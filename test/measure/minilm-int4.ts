// Measures blocks of 8, 4, 3 and 2 bits on all-MiniLM-L6-v2: bytes of the file, Spearman and cosine on STS-B's development set.
//
//     node test/measure/minilm-int4.ts TEXT [ROW…]        from the repository, with ../shared beside it
//
// TEXT: a sentence a line, for rounding by GPTQ (sentences of STS-B's training set, no labels). ROW: some of the rows below, by name.
// Rows of 3 and 2 bits have no operator that runs them here: their levels are written back as fp32, with embeddings as they were.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { memoryOutput } from '../../src/core/bytes/memory.ts';
import { onnx } from '../../src/core/format/onnx/onnx.ts';
import type { ReplaceEdit } from '../../src/core/passes/pass.ts';
import { storedAs } from '../../src/core/passes/quantize/gptq/matrix-of.ts';
import { repair } from '../../src/core/passes/quantize/gptq/repair.ts';
import { apply } from '../../src/core/rewrite/apply.ts';
import { calibrationTexts, openCalibration } from '../../src/core/session/calibrate.ts';
import { openPath } from '../../src/core/session/open.ts';
import { createSession } from '../../src/core/session/session.ts';

const shared = resolve(import.meta.dirname, '../../../shared');
const source = join(shared, 'models/minilm');
const task = `stsb:${join(shared, 'third-party/eval/stsb/stsb-en-dev.csv')}`;
const [text = '', ...chosen] = process.argv.slice(2);

interface Row {
  /** Options of the quantize pass. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Levels written back as fp32. */
  readonly simulated?: { readonly bits: number; readonly group: number };
}

const gptq = { scheme: 'int4', rounding: 'gptq' };
const rows: Readonly<Record<string, Row>> = {
  nearest: { options: { scheme: 'int4' } },
  'nearest, whole range of 8 bits': { options: { scheme: 'int4', bits: 8 } },
  'gptq, embeddings 8': { options: gptq },
  'gptq, embeddings 4': { options: { ...gptq, embedding_bits: 4 } },
  'gptq, symmetric': { options: { ...gptq, symmetric: true } },
  'gptq, 3 bits by 64': { simulated: { bits: 3, group: 64 } },
  'gptq, 2 bits by 32': { simulated: { bits: 2, group: 32 } },
};

const folder = mkdtempSync(join(tmpdir(), 'minilm-int4-'));
const path = join(folder, 'minilm.torchscript.onnx');
const out = join(folder, 'out.onnx');
const session = createSession();

async function simulate({ bits, group }: NonNullable<Row['simulated']>): Promise<void> {
  const opened = await openPath(path);
  const calibration = await openCalibration(opened, opened, await calibrationTexts(text));
  try {
    const { matrices, replacements } = await repair(
      calibration,
      opened.anatomy,
      () => ({ bits, group, symmetric: false }),
      [],
      {},
    );
    const weights = opened.anatomy.linears.flatMap((target): ReplaceEdit[] => {
      const matrix = matrices.get(target.weight.name);
      return matrix ? [{ kind: 'replace', target, weight: storedAs(target, matrix.weight_OI) }] : [];
    });
    const { model } = await apply(opened, { edits: [...replacements, ...weights], skipped: [] });
    const files = new Map<string, Uint8Array>();
    const output = memoryOutput(files);
    await onnx.write(model, output, 'out.onnx');
    await output.commit();
    writeFileSync(out, files.get('out.onnx')!);
  } finally {
    await calibration.close();
    await opened.close();
  }
}

/** Bytes of the file; of a simulated one there are none. */
async function make({ options, simulated }: Row): Promise<string> {
  if (simulated) {
    await simulate(simulated);
    return 'fp32';
  }
  const recipe = { version: 1, steps: [{ pass: 'quantize', options: options! }] } as const;
  const { after } = await session.compress({ path, out, recipe, force: true, ...(text !== '' && { calibration: text }) });
  return `${(after.fileBytes / 1e6).toFixed(2)} MB`;
}

try {
  execFileSync(process.execPath, [join(source, 'make-onnx.mjs'), folder]);
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'config.json', 'vocab.txt'])
    copyFileSync(join(source, name), join(folder, name));
  for (const [name, row] of Object.entries(rows)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue;
    if (text === '' && name.startsWith('gptq')) continue;
    const started = performance.now();
    const bytes = await make(row);
    const seconds = (performance.now() - started) / 1000;
    const { metrics, drift } = await session.evaluate(out, { against: path, task });
    console.log(`${name}: ${bytes} in ${seconds.toFixed(1)} s; ${JSON.stringify({ metrics, drift })}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
