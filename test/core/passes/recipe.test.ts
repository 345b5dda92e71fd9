import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeadroomError, say } from '../../../src/core/errors.ts';
import { matchesGlob } from '../../../src/core/passes/globs.ts';
import { schemes } from '../../../src/core/passes/quantize/schemes.ts';
import { parseRecipe } from '../../../src/core/passes/recipe.ts';

const quantize = (options: unknown) => ({ version: 1, steps: [{ pass: 'quantize', options }] });

/** Message and hint of the refusal. */
function refusal(json: unknown): string {
  try {
    parseRecipe(json);
  } catch (error) {
    assert.ok(error instanceof HeadroomError);
    assert.equal(error.code, 'bad-recipe');
    return [error.message, error.hint ? say(error.hint) : ''].join(' ').trim();
  }
  return assert.fail('accepted');
}

test('what is not given has its default', () => {
  assert.partialDeepStrictEqual(parseRecipe(quantize({ exclude: ['pooler'] })), {
    version: 1,
    steps: [
      {
        pass: 'quantize',
        options: { scheme: 'int8', per_channel: true, embedding_bits: 8, include: [], exclude: ['pooler'] },
      },
    ],
  });
});

test('a refusal says which step, which option, what was found and what is allowed', () => {
  const step = 'Step 1 (quantize)';
  const all = schemes.map(({ id }) => id).join(', ');
  assert.equal(refusal(quantize({ scheme: 'int3' })), `${step}: scheme is "int3". It must be one of ${all}.`);
  assert.match(refusal(quantize({ embedding_bits: 5 })), /embedding_bits is 5. It must be one of [\d, ]*8, 16, 32\.$/);
  assert.equal(refusal(quantize({ per_channel: 'yes' })), `${step}: per_channel is "yes". It must be true or false.`);
  assert.match(refusal(quantize({ include: 'pooler' })), /include is "pooler". It must be a list of patterns/);
  assert.equal(
    refusal(quantize({ embeding_bits: 8 })),
    `${step}: there is no option “embeding_bits”. Did you mean embedding_bits?`,
  );
  assert.match(refusal(quantize({ banana: 1 })), /no option “banana”\. The options are: scheme, per_channel/);
  assert.match(refusal(quantize([])), /options is \[\], not an object/);
});

test('an option that another one switches off is not dropped in silence', () => {
  assert.match(
    refusal(quantize({ per_channel: false })),
    /per_channel has no effect while scheme is int8\. It goes with int8-dynamic/,
  );
  assert.ok(parseRecipe(quantize({ per_channel: false, scheme: 'int8-dynamic' })));
  assert.ok(parseRecipe(quantize({ per_channel: true })), 'its default may be written out');
});

test('a refusal of the recipe itself says what a recipe is', () => {
  assert.match(refusal([]), /A recipe is a JSON object, not \[\]/);
  assert.match(refusal({ version: 2, steps: [] }), /version 2; this Headroom reads version 1/);
  assert.match(refusal({ steps: [{ pass: 'quantize' }] }), /no version/);
  assert.match(refusal({ version: 1, steps: [] }), /no steps/);
  assert.match(refusal({ version: 1, steps: [{}] }), /Step 1 names no pass. There is: quantize/);
  assert.match(refusal({ version: 1, steps: ['quantize'] }), /Step 1 is "quantize", not an object/);
  assert.match(refusal({ version: 1, steps: [{ pass: 'quantise' }] }), /names the pass "quantise". There is: quantize/);
  assert.match(refusal({ version: 1, steps: [{ pass: 'quantize', option: {} }] }), /an entry “option”/);
  assert.match(refusal({ ...quantize({}), name: 'x' }), /an entry “name”/);
});

test('a pattern names organs and all below them; a star is anything', () => {
  const id = 'encoder.layer.3.attention.self.query';
  for (const glob of [id, 'encoder.layer.3', 'encoder.layer', 'encoder.*.query', '*query', '*'])
    assert.ok(matchesGlob(id, glob), glob);
  for (const glob of ['encoder.lay', 'encoder.layer.30', 'layer.3', 'encoder?layer.3', '*key', id.slice(0, -1)])
    assert.ok(!matchesGlob(id, glob), glob);
});
