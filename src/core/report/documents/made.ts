import type { CompressReport } from '../comparison.ts';

/** How a result was made, known when Headroom made it: the recipe as it was given, what came of it, and the command that does it again. */
export interface Made {
  readonly recipe: {
    readonly version: 1;
    readonly steps: readonly { readonly pass: string; readonly options: Readonly<Record<string, unknown>> }[];
  };
  readonly report: CompressReport;
  readonly command: string;
}
