import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileFolder } from '../../../../src/core/bytes/folder.ts';
import { findTokenizer } from '../../../../src/core/evaluation/tokenize/find.ts';
import { readBeside } from '../../../../src/core/passes/vocabulary/beside.ts';
import { piecesOf } from '../../../../src/core/passes/vocabulary/pieces.ts';
import { wholeWords } from '../../../../src/core/passes/vocabulary/whole-words.ts';

const folder = resolve(import.meta.dirname, '../../../../../shared/models/minilm');
const skip = existsSync(join(folder, 'tokenizer.json')) ? false : 'skipped: no MiniLM';

test('words that are tokens are cut as the tokenizer cuts them, and others are left to it', { skip }, async () => {
  const pieces = piecesOf(await readBeside(fileFolder(folder)))!;
  const tokenizer = await findTokenizer(fileFolder(folder));
  const known = wholeWords(pieces);
  // Tokens in capitals and with marks around them, and words that are none.
  const words = [...pieces.ids.keys()]
    .filter((_, i) => i % 23 === 0)
    .flatMap(token => [token, `(${token.toUpperCase()}),`, `${token}'s`]);
  words.push('[SEP]', 'x[MASK]', 'naïve', 'a_b', '3.14', 'U.S.-based', '"quoted"', 'zzzzqqqx', '日本', '~`^', 'ﬁne');
  let asked = 0;
  for (const word of words) {
    const found = known(word);
    if (found) assert.deepEqual(found, tokenizer!.encode(word).ids.slice(1, -1), word);
    else asked++;
  }
  assert.ok(asked > 0 && asked < words.length / 2, `${asked} of ${words.length}`);
  assert.equal(known('[SEP]'), undefined);
  assert.equal(wholeWords({ ...pieces, rules: undefined })('the'), undefined);
});
