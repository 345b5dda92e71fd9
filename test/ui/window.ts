import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Browser, chromium, type FrameLocator, type Locator, type Page } from 'playwright-core';

// A window of the served VS Code as a person uses it: the Explorer, context menus, tabs, notifications, and the pages in its frames.

export const root = resolve(import.meta.dirname, '../..');

const browserArguments = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

/** A first window loads 20 MB of script on a machine that may be busy. */
const windowMs = 60_000;
/** Anything in a window that is up. */
const stepMs = 20_000;

/** A menu of VS Code takes no clicks just after it opened: the click that opened it may still be going on. */
const menuGuardMs = 250;

export const launchBrowser = (executablePath: string): Promise<Browser> =>
  chromium.launch({ executablePath, args: browserArguments });

export class Window {
  readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
  }

  /** Opens a folder that holds `model`, and waits until Headroom is there: its entry is in that file's menu. */
  static async open(
    browser: Browser,
    url: string,
    folder: string,
    model: string,
    { quantize = 'Quantize to int8', language }: { readonly quantize?: string; readonly language?: string } = {},
  ): Promise<Window> {
    const viewport = { width: 1400, height: 900 };
    const context = await browser.newContext({ viewport, permissions: ['clipboard-read', 'clipboard-write'] });
    // What a language pack would set: VS Code's own words stay English, extensions get theirs.
    if (language) await context.addInitScript(`globalThis._VSCODE_NLS_LANGUAGE = ${JSON.stringify(language)}`);
    const page = await context.newPage();
    page.setDefaultTimeout(stepMs);
    const window = new Window(page);
    await page.goto(`${url}/?folder=${encodeURIComponent(folder)}`, { timeout: windowMs });
    await window.untilReady(model, quantize);
    return window;
  }

  /** Before its extensions are registered VS Code would open a model as a text file. */
  async untilReady(model: string, quantize = 'Quantize to int8'): Promise<void> {
    await this.item(model).waitFor({ timeout: windowMs });
    const entry = this.page.getByRole('menuitem', { name: quantize });
    for (const started = Date.now(); Date.now() - started < windowMs; ) {
      await this.item(model).click({ button: 'right' });
      const found = await entry.waitFor({ timeout: 1000 }).then(
        () => true,
        () => false,
      );
      await this.page.keyboard.press('Escape');
      if (found) return;
      await this.page.waitForTimeout(300);
    }
    throw new Error(`Headroom did not appear in the menu of ${model} within ${windowMs / 1000} s`);
  }

  /** A file in the Explorer. */
  item(name: string): Locator {
    return this.page.locator('.explorer-folders-view').getByRole('treeitem', { name: new RegExp(`^${escaped(name)}(,|$|\\s)`) });
  }

  tab(title: string): Locator {
    return this.page.locator('.tabs-container .tab', { hasText: title });
  }

  /** Double-clicks in the Explorer, which keeps the tab, and waits for the page in it. */
  async openModel(name: string): Promise<FrameLocator> {
    await this.item(name).dblclick();
    await this.page.locator('.tabs-container .tab.active', { hasText: name }).waitFor();
    return this.activePage();
  }

  /** An entry of a file's menu, or of a menu in it: [submenu, entry]. */
  async menu(name: string, ...[first, second]: readonly [string, string?]): Promise<void> {
    const item = await this.#openMenu(name, first);
    if (second === undefined) {
      await item.click();
      await item.waitFor({ state: 'detached' });
      return;
    }
    const inner = this.page.getByRole('menuitem', { name: second, exact: true });
    await item.hover();
    await item.press('ArrowRight');
    await inner.waitFor();
    await this.page.waitForTimeout(menuGuardMs);
    await inner.click();
    await item.waitFor({ state: 'detached' });
  }

  /** A list that has just changed may move under the pointer: another file's menu is closed, and it is tried again. */
  async #openMenu(name: string, entry: string): Promise<Locator> {
    const item = this.page.getByRole('menuitem', { name: entry, exact: true });
    for (let left = 3; ; left -= 1) {
      await this.item(name).click({ button: 'right' });
      const found = await item.waitFor({ timeout: stepMs / 4 }).then(
        () => true,
        () => false,
      );
      if (found) break;
      await this.page.keyboard.press('Escape');
      if (left === 1) throw new Error(`the menu of ${name} has no entry ${entry}`);
    }
    await this.page.waitForTimeout(menuGuardMs);
    return item;
  }

  /** By the command palette. A page that takes the focus while it opens closes the palette again: then it is opened once more. */
  async command(title: string): Promise<void> {
    const input = this.page.locator('.quick-input-widget input');
    const row = this.page.locator('.quick-input-list .monaco-list-row', { hasText: title }).first();
    for (let left = 5; ; left -= 1) {
      await this.page.keyboard.press('F1');
      try {
        await input.fill(`>${title}`, { timeout: stepMs / 5 });
        await row.click({ timeout: stepMs / 5 });
        return;
      } catch (error) {
        if (left === 1) throw error;
        await this.page.keyboard.press('Escape');
        await this.page.waitForTimeout(menuGuardMs);
      }
    }
  }

  /** As a person changes it: "Dark Modern", "Light High Contrast". */
  async theme(name: string): Promise<void> {
    await this.command('Preferences: Color Theme');
    const row = this.page.locator('.quick-input-list .monaco-list-row', { hasText: name });
    await this.page.locator('.quick-input-widget input').fill(name);
    await row.first().click();
    await row.first().waitFor({ state: 'hidden' });
  }

  /** The one page that is visible, when it has drawn something. */
  async activePage(): Promise<FrameLocator> {
    const frame = this.page.frameLocator('iframe.webview.ready >> visible=true').frameLocator('#active-frame');
    await frame.locator('#root > *').first().waitFor();
    return frame;
  }

  /** The comparison that opens by itself, with its rows. */
  async diff(title: string, timeout = stepMs): Promise<FrameLocator> {
    await this.page.locator('.tabs-container .tab.active', { hasText: title }).waitFor({ timeout });
    const frame = await this.activePage();
    await frame.getByRole('treegrid').waitFor({ timeout });
    return frame;
  }

  notification(text: string | RegExp): Locator {
    return this.page.locator('.notification-list-item', { hasText: text });
  }

  dialog(text: string | RegExp): Locator {
    return this.page.locator('.monaco-dialog-box', { hasText: text });
  }

  async closeTabs(): Promise<void> {
    await this.command('View: Close All Editors');
    await this.page.locator('.tabs-container .tab').first().waitFor({ state: 'detached' });
  }

  /** Under out/, which git ignores. */
  async screenshot(name: string): Promise<string> {
    const path = join(root, 'out', `${name}.png`);
    mkdirSync(dirname(path), { recursive: true });
    await this.page.screenshot({ path });
    return path;
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }
}

/** Rows of a page's table by id, each the texts of its cells as shown. Only rows near the visible part are in the page. */
export async function rowsOf(frame: FrameLocator): Promise<Record<string, string[]>> {
  const rows = frame.locator('[role=treegrid] [role=row][data-id]');
  await rows.first().waitFor();
  const all = await rows.all();
  const entries = all.map(async row => {
    const cells = await row.locator('[role=gridcell]').allInnerTexts();
    return [(await row.getAttribute('data-id')) ?? '', cells.map(oneLine)] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** The cells of the total row. */
export async function totalOf(frame: FrameLocator): Promise<string[]> {
  const cells = frame.locator('[role=treegrid] .tr.foot [role=gridcell]');
  return (await cells.allInnerTexts()).map(oneLine);
}

/** No-break and narrow spaces are spaces to a person. */
const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();

export const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
