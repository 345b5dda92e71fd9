import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { numbersOf } from '../passes/run.ts';
import { furthest, type Ids, outputsOf, written } from './exported.ts';
import { fromFormula } from './formula.ts';

interface Truth {
  readonly class: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: string;
  readonly inputs: Readonly<Record<string, Ids>>;
  /** Every so many of the numbers, rounded to six places. */
  readonly outputs: Readonly<Record<string, { shape: number[]; every: number; numbers: number[] }>>;
}

/** Made by truths.py with transformers 5.23 and torch 2.13. */
const truths: readonly Truth[] = JSON.parse(readFileSync(join(import.meta.dirname, 'truths.json'), 'utf8'));

const usual = new Map<string, Truth['config']>();

/** What sets a case apart from the first of its family. */
function nameOf({ class: name, config }: Truth): string {
  const family = String(config.model_type);
  const first = usual.get(family) ?? config;
  usual.set(family, first);
  const changes = Object.keys(config).filter(
    key => key !== 'architectures' && JSON.stringify(config[key]) !== JSON.stringify(first[key]),
  );
  return [name, ...changes.map(key => `${key} ${JSON.stringify(config[key])}`)].join(', ');
}

for (const truth of truths)
  test(`${nameOf(truth)}: outputs are PyTorch's within 1e-4, padded positions too`, async () => {
    const body = await fromFormula(truth.tensors, truth.config);
    const { names, inputs, values } = await outputsOf(await written(body), truth.inputs);
    assert.deepEqual(names, Object.keys(truth.outputs));
    assert.deepEqual(inputs, Object.keys(truth.inputs));
    for (const [name, { shape, every, numbers }] of Object.entries(truth.outputs)) {
      assert.deepEqual(values[name]!.dims, shape, name);
      const made = numbersOf(values[name]!).filter((_, at) => at % every === 0);
      assert.ok(furthest(made, numbers) <= 1e-4, `${name}: ${furthest(made, numbers)} apart`);
    }
  });
