import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { FrameLocator } from 'playwright-core';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly help: string;
  readonly nodes: readonly { readonly target: readonly string[] }[];
}

/** The serious and critical findings of axe in a page: "color-contrast: … at .what". */
export async function seriousFindings(frame: FrameLocator): Promise<string[]> {
  const body = await frame.locator('body').elementHandle();
  const inner = await body!.ownerFrame();
  // Evaluated by the debugger, which the page's policy does not bind.
  await inner!.evaluate(source);
  const violations = (await inner!.evaluate(
    "axe.run(document, { resultTypes: ['violations'] }).then(it => it.violations)",
  )) as Violation[];
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, help, nodes }) => `${id}: ${help} at ${nodes.map(node => node.target.join(' ')).join(', ')}`);
}
