import * as module from 'node:module';
import { fileURLToPath } from 'node:url';
import './memory.ts';

// Nothing but this is loaded before: from Node 22.8, what has been compiled once is not compiled again. It is kept beside the parts of
// the program, where it goes when they go, and not at all where nobody may write there.
const { enableCompileCache } = module as { enableCompileCache?: (folder: string) => unknown };
enableCompileCache?.(fileURLToPath(new URL('./cli/compiled', import.meta.url)));
await import('./main.ts');
