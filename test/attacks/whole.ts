import assert from 'node:assert/strict';
import { detect } from '../../src/core/anatomy/detect.ts';
import { memoryFolder, memorySource } from '../../src/core/bytes/memory.ts';
import { HeadroomError } from '../../src/core/errors.ts';
import { openModel } from '../../src/core/format/open.ts';
import { summarize } from '../../src/core/report/summary.ts';
import type { Summary, TreeNode } from '../../src/core/report/tree.ts';

/** Nothing that is opened may take longer, whatever it is: of the processor, so that a busy machine does not decide. */
const longestMs = 2000;

/**
 * Bytes all the way to the screen: opened, recognised and summarised in two seconds, or refused with one of our own errors. What opens
 * has a tree that sums, ids that are told apart, and no number that is none.
 */
export async function opensWhole(
  name: string,
  bytes: Uint8Array,
  what: string,
  config?: string,
): Promise<Summary | HeadroomError> {
  const start = process.cpuUsage();
  const beside = memoryFolder(config === undefined ? [] : [['config.json', new TextEncoder().encode(config)]]);
  try {
    const model = await openModel(memorySource(name, bytes), beside);
    const summary = summarize(model, await detect(model));
    checkTime(start, what);
    checkSummary(summary, what);
    return summary;
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    assert.ok(error instanceof HeadroomError, `${what}: ${(error as Error)?.stack}`);
    checkTime(start, what);
    return error;
  }
}

function checkTime(start: NodeJS.CpuUsage, what: string): void {
  const ms = process.cpuUsage(start).user / 1000;
  assert.ok(ms < longestMs, `${what} took ${ms.toFixed(0)} ms`);
}

export function checkSummary(summary: Summary, what: string): void {
  const ids = new Set<string>();
  const waiting: TreeNode[] = [summary.tree];
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    const { id, parameters, byteLength, children } = node;
    assert.ok(!ids.has(id), `${what}: two rows are called ${JSON.stringify(id.slice(0, 200))}`);
    ids.add(id);
    for (const size of [parameters, byteLength, ...(node.shape ?? [])])
      assert.ok(Number.isSafeInteger(size) && size >= 0, `${what}: ${id.slice(0, 200)} has ${size}`);
    if (!children) continue;
    const sum = (key: 'parameters' | 'byteLength') => children.reduce((total, child) => total + child[key], 0);
    assert.equal(sum('parameters'), parameters, `${what}: parameters of ${id}`);
    assert.equal(sum('byteLength'), byteLength, `${what}: bytes of ${id}`);
    waiting.push(...children);
  }
  assert.equal(summary.tree.byteLength, summary.file.byteLength, `${what}: the rows sum to the files`);
  for (const part of summary.file.parts) assert.ok(part.byteLength >= 0, `${what}: a part of ${part.byteLength}`);
  const { heads, layers, intermediate, headDim, hidden, vocabulary, positions, parameters } = summary.model;
  for (const count of [...heads, ...intermediate, layers, headDim, hidden, vocabulary, positions, parameters])
    assert.ok(Number.isSafeInteger(count) && count >= 0, `${what}: the model has ${count} of something`);
  for (const head of summary.heads)
    assert.ok(
      Number.isSafeInteger(head.parameters) && head.parameters >= 0 && head.byteLength >= 0 && Number.isFinite(head.byteLength),
      `${what}: ${JSON.stringify(head)}`,
    );
  assert.deepEqual(JSON.parse(JSON.stringify(summary)), summary, `${what}: the summary is JSON`);
}
