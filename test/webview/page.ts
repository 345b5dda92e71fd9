import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';
import { pageHtml } from '../../src/host/page-html.ts';
import type { Failure } from '../../src/protocol/messages.ts';
import { serve } from '../../src/protocol/rpc.ts';

// Opens a webview page in a browser as VS Code would: its bundle, the same content security policy, a fake acquireVsCodeApi whose calls are answered here.

const root = resolve(import.meta.dirname, '../..');
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const origin = 'http://headroom.test';

/** Why page tests cannot run, or undefined. */
export const skipReason: string | undefined = existsSync(executablePath)
  ? undefined
  : `skipped: no chromium at ${executablePath}`;

export const themes = ['dark', 'light', 'hc', 'hcl'] as const;
export type Theme = (typeof themes)[number];
const bodyClasses: Record<Theme, string> = {
  dark: 'vscode-dark',
  light: 'vscode-light',
  hc: 'vscode-high-contrast',
  hcl: 'vscode-high-contrast vscode-high-contrast-light',
};
const themeKinds: Record<Theme, string> = {
  dark: 'vscode-dark',
  light: 'vscode-light',
  hc: 'vscode-high-contrast',
  hcl: 'vscode-high-contrast-light',
};

export interface PageOptions {
  readonly page: 'attention' | 'editor' | 'compress' | 'diff' | 'redundancy';
  /** Methods the page may call; each gets the call's arguments. */
  readonly api: Readonly<Record<string, (...args: never[]) => unknown>>;
  readonly theme?: Theme;
  readonly width?: number;
  readonly height?: number;
  readonly locale?: string;
  readonly bundle?: Readonly<Record<string, string>>;
  readonly reducedMotion?: boolean;
  readonly forcedColors?: boolean;
}

export interface OpenedPage {
  readonly page: Page;
  /** Every call the page made: "view", "copyText" … with its arguments. */
  readonly calls: readonly { readonly method: string; readonly args: readonly unknown[] }[];
  /** Uncaught errors, console errors (a refused script or style among them). A test ends with this empty. */
  readonly errors: readonly string[];
  /** Sends an event from the host. */
  emit(name: string, body: unknown): void;
  /** What setState kept. */
  savedState(): Promise<unknown>;
  /** Writes out/webview/NAME.png. */
  screenshot(name: string): Promise<void>;
  close(): Promise<void>;
}

export function launch(): Promise<Browser> {
  const args =
    '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';
  return chromium.launch({ executablePath, args: args.split(' ') });
}

const bundles = new Map<string, Promise<Map<string, string>>>();

/** The files a page loads, built as scripts/build.mjs builds them. */
function bundleOf(page: string): Promise<Map<string, string>> {
  const known = bundles.get(page);
  if (known) return known;
  const built = build({
    absWorkingDir: root,
    entryPoints: [`webview/${page}.tsx`],
    bundle: true,
    platform: 'browser',
    target: 'es2022',
    format: 'esm',
    outdir: 'dist/webview',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    logLevel: 'error',
    write: false,
  }).then(({ outputFiles }) => new Map(outputFiles.map(file => [file.path.split('/').at(-1)!, file.text])));
  bundles.set(page, built);
  return built;
}

/** The host's own page, with what VS Code adds to it: the theme's tokens, and its classes. */
function html(options: PageOptions): string {
  const theme = options.theme ?? 'dark';
  return pageHtml({
    page: options.page,
    script: `${origin}/${options.page}.js`,
    style: `${origin}/${options.page}.css`,
    cspSource: origin,
    nonce: 'dGVzdA==',
    locale: options.locale ?? 'en',
    bundle: options.bundle ?? {},
  })
    .replace('<html', `<html data-theme="${theme}"`)
    .replace('</title>', '</title><link rel="stylesheet" href="theme.css">')
    .replace('<body>', `<body class="${bodyClasses[theme]}" data-vscode-theme-kind="${themeKinds[theme]}">`);
}

/** Runs in the page, before its own script. */
const fakeApi = `globalThis.acquireVsCodeApi = () => ({
  postMessage: message => void globalThis.headroomHost(structuredClone(message)),
  getState: () => JSON.parse(sessionStorage.getItem('state') ?? 'null') ?? undefined,
  setState: state => sessionStorage.setItem('state', JSON.stringify(state)),
});`;

function toFailure(error: unknown): Failure {
  if (typeof error === 'object' && error !== null && 'sentence' in error) return error as Failure;
  return { code: 'io', message: String(error), sentence: { text: String(error) } };
}

export async function openPage(browser: Browser, options: PageOptions): Promise<OpenedPage> {
  const files = await bundleOf(options.page);
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1200, height: options.height ?? 800 },
    reducedMotion: options.reducedMotion ? 'reduce' : 'no-preference',
    forcedColors: options.forcedColors ? 'active' : 'none',
  });
  const page = await context.newPage();
  const errors: string[] = [];
  const calls: { method: string; args: readonly unknown[] }[] = [];
  page.on('pageerror', error => errors.push(String(error)));
  page.on('console', message => message.type() === 'error' && errors.push(message.text()));

  let deliver: (message: unknown) => void = () => {};
  const { emit } = serve(
    {
      post: message => void page.evaluate(body => window.postMessage(body, '*'), message).catch(() => {}),
      onMessage: listener => {
        deliver = listener;
      },
    },
    options.api as never,
    toFailure,
  );
  await page.exposeFunction('headroomHost', (message: { kind: string; method: string; args: unknown[] }) => {
    if (message.kind === 'call') calls.push({ method: message.method, args: message.args });
    deliver(message);
  });
  await page.addInitScript({ content: fakeApi });
  await page.route(`${origin}/**`, async route => {
    const name = new URL(route.request().url()).pathname.slice(1);
    if (name === '') return route.fulfill({ contentType: 'text/html', body: html(options) });
    if (name === 'theme.css')
      return route.fulfill({ contentType: 'text/css', body: await readFile(join(import.meta.dirname, name), 'utf8') });
    const body = files.get(name);
    if (body === undefined) return route.fulfill({ status: 404, body: '' });
    return route.fulfill({ contentType: name.endsWith('.css') ? 'text/css' : 'text/javascript', body });
  });
  await page.goto(`${origin}/`);
  return {
    page,
    calls,
    errors,
    emit: (name, body) => (emit as (name: string, body: unknown) => void)(name, body),
    savedState: () => page.evaluate(() => JSON.parse(sessionStorage.getItem('state') ?? 'null')),
    screenshot: async name => {
      const path = join(root, 'out', 'webview', `${name}.png`);
      await mkdir(dirname(path), { recursive: true });
      await page.screenshot({ path });
    },
    close: () => context.close(),
  };
}

/** Changes the theme of an open page, as VS Code does: tokens and classes, no reload. */
export async function setTheme(page: Page, theme: Theme): Promise<void> {
  const [bodyClass, kind] = [bodyClasses[theme], themeKinds[theme]];
  await page.evaluate(
    values => {
      document.documentElement.dataset.theme = values.theme;
      document.body.className = values.bodyClass;
      document.body.dataset.vscodeThemeKind = values.kind;
    },
    { theme: theme as string, bodyClass, kind },
  );
}

/** The serious and critical findings of axe-core in the page as it stands, as "rule: selectors"; of some rules only, if they are named. */
export async function accessibilityFindings(page: Page, rules?: readonly string[]): Promise<string[]> {
  const axe = await readFile(join(root, 'node_modules', 'axe-core', 'axe.min.js'), 'utf8');
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe);
  return page.evaluate(async runOnly => {
    const { violations } = await (
      globalThis as never as { axe: { run(options: object): Promise<{ violations: Finding[] }> } }
    ).axe.run({ resultTypes: ['violations'], ...(runOnly && { runOnly }) });
    interface Finding {
      id: string;
      impact: string;
      nodes: { target: unknown[]; any: { message: string }[] }[];
    }
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(
        ({ id, nodes }) => `${id}: ${nodes.map(node => `${node.target.join(' ')} (${node.any[0]?.message ?? ''})`).join('; ')}`,
      );
  }, rules);
}
