import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { editorApi, states } from './editor-views.ts';
import { accessibilityFindings, launch, openPage, setTheme, skipReason, themes } from './page.ts';

let browser: Browser;
before(async () => {
  if (!skipReason) browser = await launch();
});
after(() => browser?.close());
const skip = skipReason ?? false;

for (const [name, view] of Object.entries(states)) {
  test(`axe finds nothing serious or critical: ${name}, four themes, 1,200 and 420 px`, { skip }, async () => {
    const opened = await openPage(browser, { page: 'editor', api: editorApi(view()), width: 1200, height: 480 });
    await opened.page.waitForSelector('main header');
    const row = opened.page.locator('.tr.body').first();
    if (await row.count()) await row.click();
    for (const width of [1200, 420]) {
      await opened.page.setViewportSize({ width, height: 480 });
      await setTheme(opened.page, 'dark');
      assert.deepEqual(await accessibilityFindings(opened.page), [], `${width} px`);
      // A theme changes colours alone.
      for (const theme of themes.filter(other => other !== 'dark')) {
        await setTheme(opened.page, theme);
        assert.deepEqual(await accessibilityFindings(opened.page, ['color-contrast']), [], `${theme} at ${width} px`);
      }
    }
    assert.deepEqual(opened.errors, []);
    await opened.close();
  });
}
