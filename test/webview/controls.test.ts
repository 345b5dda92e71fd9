import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { editorApi, ready } from './editor-views.ts';
import { launch, openPage, skipReason } from './page.ts';
import { minilm } from './summaries.ts';

let browser: Browser;
before(async () => {
  if (!skipReason) browser = await launch();
});
after(() => browser?.close());

test('a field is named for what it is for, not for the count beside it', { skip: skipReason ?? false }, async () => {
  const { page, close } = await openPage(browser, { page: 'editor', api: editorApi(ready(minilm())) });
  const field = page.getByRole('textbox', { name: 'Filter tensors', exact: true });
  await field.waitFor();
  await field.fill('query');
  await page.getByText(/^\d+ of 104$/).waitFor();
  assert.equal(await page.getByRole('textbox', { name: 'Filter tensors', exact: true }).inputValue(), 'query');
  await close();
});
