// A section of the bench: evaluating STS-B dev on minilm beside a Python script that does the same, both as whole processes, start to answer.
// Ours times the model besides, and opens it before onnxruntime does.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = name => fileURLToPath(new URL(name, import.meta.url));
const shared = here('../../../shared');
const minilm = join(shared, 'models/minilm');
const pairs = join(shared, 'third-party/eval/stsb/stsb-en-dev.csv');
const cli = here('../../dist/cli.js');
const [threads, batch] = [2, 32];

/** Makes the ONNX export into `folder` and returns what runs each side once; a sentence instead where something is not there. */
export function evaluateSides(folder, python) {
  if (!existsSync(minilm) || !existsSync(pairs)) return 'skipped: no trained models';
  if (!existsSync(cli)) return 'skipped: no dist/cli.js (npm run build)';
  const into = join(folder, 'minilm');
  const model = join(into, 'minilm.torchscript.onnx');
  mkdirSync(into, { recursive: true });
  if (!existsSync(model)) must(spawnSync(process.execPath, [join(minilm, 'make-onnx.mjs'), into], { encoding: 'utf8' }));
  for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json'])
    copyFileSync(join(minilm, name), join(into, name));
  const ours = () => {
    const args = ['evaluate', model, '--task', `stsb:${pairs}`, '--threads', threads, '--batch', batch, '--json'];
    const { seconds, answer } = timed(process.execPath, [cli, ...args]);
    return { seconds, peakBytes: answer.peakBytes, spearman: answer.metrics.find(it => it.name === 'spearman').value };
  };
  const has = spawnSync(python, ['-c', 'import numpy, onnxruntime, tokenizers']).status === 0;
  const rival = () => {
    const tokenizer = join(into, 'tokenizer.json');
    const { seconds, answer } = timed(python, [here('rival-evaluate.py'), model, tokenizer, pairs, threads, batch]);
    return { seconds, ...answer };
  };
  return { ours, rival: has ? rival : undefined, threads, batch };
}

function timed(command, args) {
  const start = performance.now();
  const { stdout } = must(spawnSync(command, args.map(String), { encoding: 'utf8', maxBuffer: 2 ** 26 }));
  return { seconds: (performance.now() - start) / 1000, answer: JSON.parse(stdout) };
}

function must(result) {
  if (result.status !== 0) throw new Error(result.stderr || String(result.error));
  return result;
}
