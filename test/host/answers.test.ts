import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Answers } from '../../src/host/answers.ts';

test('a question is asked once for each state of the file', async () => {
  const answers = new Answers();
  let asked = 0;
  const ask = async () => (asked += 1);
  assert.deepEqual([await answers.of('a', ask), await answers.of('a', ask), await answers.of('b', ask)], [1, 1, 2]);
  assert.equal(answers.known('b'), 2);
  answers.drop();
  assert.equal(answers.known('b'), undefined);
  assert.equal(await answers.of('a', ask), 3);
});

test('"there is none" is an answer too; a failure is not', async () => {
  const answers = new Answers();
  let asked = 0;
  const none = async () => {
    asked += 1;
    return null;
  };
  await answers.of('none', none);
  assert.equal(await answers.of('none', none), null);
  assert.equal(asked, 1);
  await assert.rejects(answers.of('broken', () => Promise.reject(new Error('cancelled'))));
  assert.equal(await answers.of('broken', async () => 'whole'), 'whole');
});

test('an answer about the file as it was is given, but not kept', async () => {
  const answers = new Answers();
  let finish: (value: string) => void = () => undefined;
  const slow = answers.of('a', () => new Promise<string>(resolve => (finish = resolve)));
  answers.drop();
  finish('old');
  assert.equal(await slow, 'old');
  assert.equal(answers.known('a'), undefined);
});
