// Compiles the AssemblyScript kernels and writes them as a module, so that sources and bundles load them alike.
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';

export async function buildKernels(root) {
  const entry = 'src/core/kernels/assembly/index.ts';
  const built = join(root, 'src/core/kernels/built.ts');
  const out = 'dist/kernels.wasm';
  if (existsSync(join(root, entry))) {
    const { error, stderr } = await asc.main(
      [
        entry,
        '--outFile',
        out,
        '--baseDir',
        root,
        '-O3',
        '--noAssert',
        '--runtime',
        'stub',
        '--enable',
        'simd',
        '--initialMemory',
        '1',
        '--importMemory',
      ],
      {},
    );
    if (error) throw new Error(`the kernels do not compile:\n${stderr.toString()}`);
    const base64 = (await readFile(join(root, out))).toString('base64');
    await writeFile(
      built,
      `// Built from assembly/ by \`npm run build\`; not in git.\nexport const kernelsBase64: string =\n  '${base64}';\n`,
    );
  } else if (!existsSync(built)) await writeFile(built, "export const kernelsBase64: string = '';\n");
}
