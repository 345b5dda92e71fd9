import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runStates } from '../../../../src/core/evaluation/probe/run-states.ts';
import type { Prepared } from '../../../../src/core/evaluation/subject.ts';

// B batch, T tokens, C width

test('tokens are found in [B, T, C], [B * T, C] and, where convolutions keep them last, [B, C, T]; padding is left out', async () => {
  // Two texts of 3 and 2 tokens; the number of a token is 100 b + 10 t + c.
  const [lengths, width] = [[3, 2], 2];
  const number = (b: number, t: number, c: number) => 100 * b + 10 * t + c;
  const all = (order: 'TC' | 'CT') =>
    Float32Array.from({ length: 12 }, (_, at) => {
      const [b, inner] = [Math.floor(at / 6), at % 6];
      return order === 'TC' ? number(b, Math.floor(inner / 2), inner % 2) : number(b, inner % 3, Math.floor(inner / 3));
    });
  const results = new Map([
    ['rows', { data: all('TC'), shape: [2, 3, 2] }],
    ['flat', { data: all('TC'), shape: [6, 2] }],
    ['turned', { data: all('CT'), shape: [2, 2, 3] }],
  ]);
  const prepared = {
    runner: { run: async () => results },
    inputs: { roles: new Map() },
    encodings: lengths.map(length => ({ ids: new Array(length).fill(5), types: new Array(length).fill(0) })),
    tokenizer: { pad: 0 },
    firstPosition: 0,
  } as unknown as Prepared;
  const found = await runStates(prepared, [0, 1], ['rows', 'flat', 'turned']);
  for (const [b, tokens] of lengths.entries())
    for (const state of found[b]!) {
      const expected = Array.from({ length: tokens * width }, (_, at) => number(b, Math.floor(at / width), at % width));
      assert.deepEqual([state.tokens, state.width, [...state.rows_TC]], [tokens, width, expected]);
    }
});
