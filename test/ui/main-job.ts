import { launchBrowser, rowsOf, totalOf, Window } from './window.ts';

export interface MainJob {
  readonly url: string;
  /** Path of the browser. */
  readonly chromium: string;
  /** Holds model.onnx and no result. */
  readonly folder: string;
}

/** Open, size panels, Quantize to int8, before beside after: each step with a screenshot, and the numbers as the pages show them. */
export async function runMainJob({ url, chromium, folder }: MainJob): Promise<void> {
  const browser = await launchBrowser(chromium);
  let opened: Window | undefined;
  try {
    const window = await step('open VS Code on the sample', () => Window.open(browser, url, folder, 'model.onnx'));
    opened = window;
    const shoot = async (name: string) => console.log(`  ${await window.screenshot(`once/${name}`)}`);
    await shoot('1-folder');

    const editor = await step('open model.onnx', async () => {
      const page = await window.openModel('model.onnx');
      await page.getByRole('treegrid').waitFor();
      return page;
    });
    await shoot('2-editor');
    console.log(`  ${line((await editor.locator('header').allInnerTexts()).join(' '))}`);
    printRows(await rowsOf(editor), ['embeddings', 'encoder', 'encoder.layer.0', 'pooler']);
    console.log(`  total: ${line((await totalOf(editor)).join('  '))}`);

    await step('select a head', () => editor.getByRole('grid').getByRole('gridcell').nth(5).click());
    await shoot('3-head');

    await step('Quantize to int8 by the context menu', () => window.menu('model.onnx', 'Quantize to int8'));
    const diff = await step('the comparison opens by itself', () => window.diff('model.onnx ↔ model.int8.onnx'));
    await shoot('4-diff');
    printRows(await rowsOf(diff), ['embeddings', 'encoder', 'encoder.layer.0', 'pooler']);
    console.log(`  total: ${line((await totalOf(diff)).join('  '))}`);

    await step('open the result', () => diff.getByRole('button', { name: 'Open result' }).click());
    const result = await window.activePage();
    await result.getByRole('heading', { name: 'model.int8.onnx' }).waitFor();
    await shoot('5-result');
    console.log(`  ${line((await result.locator('header').allInnerTexts()).join(' '))}`);
    console.log('Done.');
  } catch (error) {
    await opened?.screenshot('once/failed').catch(() => undefined);
    throw error;
  } finally {
    await browser.close();
  }
}

async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
  const started = Date.now();
  try {
    const result = await work();
    console.log(`${what}: ${((Date.now() - started) / 1000).toFixed(1)} s`);
    return result;
  } catch (cause) {
    throw new Error(`${what}: ${(cause as Error).message}`, { cause });
  }
}

function printRows(rows: Record<string, string[]>, ids: readonly string[]): void {
  for (const id of ids) console.log(`  ${id}: ${line((rows[id] ?? ['not shown']).join('  '))}`);
}

/** Numbers and units stand in columns of their own. */
const line = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .replace(/(\d)([KMG]?B)\b/g, '$1 $2')
    .trim();
