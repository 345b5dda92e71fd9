import type { Pass } from './pass.ts';
import { quantize } from './quantize.ts';

/** Every pass, in the order in which a form offers them. A pass is a file and a line here. */
export const passes: readonly Pass[] = [quantize as unknown as Pass];
