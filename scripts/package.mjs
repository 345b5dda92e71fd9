// Builds for release and packs the extension into out/headroom.vsix, for this machine's platform. `--no-build` packs what is in dist;
// `--target linux-arm64` packs for another platform into out/headroom-linux-arm64.vsix.
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hostTarget, stageOnnxRuntime, unstageOnnxRuntime } from './onnxruntime.mjs';
import { continueInProjectNode, installDependencies, root, run } from './setup.mjs';

/**
 * Everything is bundled but the native library that runs models, which goes along for one platform; links in the README stay as they are,
 * there is no address to rewrite them to.
 */
export function packageExtension({ build = true, target } = {}) {
  const name = target ? `headroom-${target}.vsix` : 'headroom.vsix';
  const vsix = join(root, 'out', name);
  if (build) run(process.execPath, ['scripts/build.mjs', '--production']);
  mkdirSync(join(root, 'out'), { recursive: true });
  const options = ['--no-dependencies', '--allow-missing-repository', '--no-rewrite-relative-links', '--out', vsix];
  const runs = stageOnnxRuntime(target ?? hostTarget);
  if (!runs) console.warn(`onnxruntime-node has no binaries for ${target ?? hostTarget}: the package measures nothing.`);
  // Without binaries it runs anywhere.
  if (runs || target) options.push('--target', target ?? hostTarget);
  try {
    run(process.execPath, [join('node_modules', '@vscode', 'vsce', 'vsce'), 'package', ...options], {
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: false,
    });
  } finally {
    unstageOnnxRuntime();
  }
  console.log(`out/${name}: ${(statSync(vsix).size / 1e6).toFixed(1)} MB`);
  return vsix;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  installDependencies();
  if (continueInProjectNode(fileURLToPath(import.meta.url))) {
    const at = process.argv.indexOf('--target');
    packageExtension({ build: !process.argv.includes('--no-build'), target: at < 0 ? undefined : process.argv[at + 1] });
  }
}
