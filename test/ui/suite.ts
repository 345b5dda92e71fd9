import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { findChromium } from '../../scripts/setup.mjs';
import { installVSCode, type ServedVSCode, startVSCode } from '../../scripts/vscode.mjs';
import { launchBrowser, root, Window } from './window.ts';
import { makeWorkspace } from './workspace.ts';

/** The packed extension in a real VS Code: one server, one folder and one window for all tests of a file, in the order they stand. */
export interface Suite {
  readonly workspace: string;
  readonly code: ServedVSCode;
  readonly browser: Browser;
  /** The window that is open now; a test may close it and set another. */
  window: Window;
  /** A path in the folder. */
  path(name: string): string;
}

const vsix = join(root, 'out', 'headroom.vsix');
const chromium = findChromium();

/** Why none of these tests can run here, or false. */
export const skip = !chromium
  ? 'skipped: no chromium'
  : !existsSync(vsix)
    ? 'skipped: out/headroom.vsix is not packed (npm run package)'
    : process.platform === 'win32'
      ? 'skipped: the served VS Code runs on Linux and macOS'
      : false;

/** Starts VS Code before the tests of a file and ends it after them. `prepare` adds files to the folder before it is opened. */
export function startSuite(prepare: (workspace: string) => void = () => undefined): Suite {
  const suite = { path: (name: string) => join(suite.workspace, name) } as { -readonly [K in keyof Suite]: Suite[K] };
  before(
    async () => {
      if (skip || !chromium) return;
      installVSCode();
      suite.workspace = makeWorkspace();
      prepare(suite.workspace);
      suite.code = await startVSCode({ vsix, settings: { 'workbench.colorTheme': 'Default Dark Modern' } });
      suite.browser = await launchBrowser(chromium);
      suite.window = await Window.open(suite.browser, suite.code.url, suite.workspace, 'model.onnx');
    },
    { timeout: 180_000 },
  );
  after(async () => {
    await suite.browser?.close();
    await suite.code?.stop();
    if (suite.workspace) rmSync(suite.workspace, { recursive: true, force: true });
  });
  return suite;
}

/** A test in the window of `suite`; a failure leaves a screenshot under out/ui. */
export const uiTest =
  (suite: Suite) =>
  (name: string, work: () => Promise<void>, unless: string | boolean = skip): void =>
    void test(name, { skip: unless, timeout: 90_000 }, async () => {
      try {
        await work();
      } catch (error) {
        const { window } = suite;
        await window?.screenshot(`ui/failed ${name.replace(/[^\w]+/g, '-').slice(0, 60)}`).catch(() => undefined);
        await window?.page.keyboard.press('Escape').catch(() => undefined);
        throw error;
      }
    });
