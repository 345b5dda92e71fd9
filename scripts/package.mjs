// Builds for release and packs the extension into out/headroom.vsix. `--no-build` packs what is in dist.
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { continueInProjectNode, installDependencies, root, run } from './setup.mjs';

export const vsix = join(root, 'out', 'headroom.vsix');

/** Everything is bundled, so no dependency goes along; links in the README stay as they are, there is no address to rewrite them to. */
export function packageExtension({ build = true } = {}) {
  if (build) run(process.execPath, ['scripts/build.mjs', '--production']);
  mkdirSync(join(root, 'out'), { recursive: true });
  const options = ['--no-dependencies', '--allow-missing-repository', '--no-rewrite-relative-links', '--out', vsix];
  run(process.execPath, [join('node_modules', '@vscode', 'vsce', 'vsce'), 'package', ...options], {
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: false,
  });
  console.log(`out/headroom.vsix: ${(statSync(vsix).size / 1e6).toFixed(1)} MB`);
  return vsix;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  installDependencies();
  if (continueInProjectNode(fileURLToPath(import.meta.url))) packageExtension({ build: !process.argv.includes('--no-build') });
}
