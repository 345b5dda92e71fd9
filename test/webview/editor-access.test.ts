import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { editorApi, states } from './editor-views.ts';
import { accessibilityFindings, launch, type OpenedPage, openPage, setTheme, skipReason, themes } from './page.ts';

let browser: Browser;
let opened: OpenedPage;
before(async () => {
  if (skipReason) return;
  browser = await launch();
  opened = await openPage(browser, { page: 'editor', api: editorApi(states.opening!()), width: 1200, height: 480 });
  await opened.page.waitForSelector('main header');
});
after(() => browser?.close());

for (const [name, view] of Object.entries(states)) {
  test(`axe finds nothing serious or critical: ${name}, four themes, 1,200 and 420 px`, {
    skip: skipReason ?? false,
  }, async () => {
    const { page } = opened;
    // A name of its own says when the page shows this state and not the one before.
    const shown = { ...view(), name: `${name}.onnx` };
    await page.setViewportSize({ width: 1200, height: 480 });
    opened.emit('view', shown);
    await page.locator('.hdr h1', { hasText: shown.name }).waitFor();
    const row = page.locator('.tr.body').first();
    if (await row.count()) await row.click();
    for (const width of [1200, 420]) {
      await page.setViewportSize({ width, height: 480 });
      await setTheme(page, 'dark');
      assert.deepEqual(await accessibilityFindings(page), [], `${width} px`);
      // A theme changes colours alone.
      for (const theme of themes.filter(other => other !== 'dark')) {
        await setTheme(page, theme);
        assert.deepEqual(await accessibilityFindings(page, ['color-contrast']), [], `${theme} at ${width} px`);
      }
    }
    assert.deepEqual(opened.errors, []);
  });
}

test('colours of organs are opaque in every theme, also where the theme gives a colour that is not', {
  skip: skipReason ?? false,
}, async () => {
  const { page } = opened;
  await page.setViewportSize({ width: 1200, height: 480 });
  opened.emit('view', { ...states.ready!(), name: 'colours.onnx' });
  await page.locator('.hdr h1', { hasText: 'colours.onnx' }).waitFor();
  for (const theme of themes) {
    await setTheme(page, theme);
    const colours = await page
      .locator('.bar i:not(.c-other), .ice button:not(.c-other), .hg .cell')
      .evaluateAll(parts => [...new Set(parts.map(part => getComputedStyle(part).backgroundColor))]);
    assert.ok(colours.length >= 3, theme);
    assert.deepEqual(
      colours.filter(colour => /\/|rgba/.test(colour)),
      [],
      theme,
    );
  }
});
