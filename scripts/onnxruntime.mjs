// The native library that runs models, as far as one platform needs it. Everything else of the extension is bundled.
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup.mjs';

const native = join(root, 'node_modules', 'onnxruntime-node');
const common = join(root, 'node_modules', 'onnxruntime-common');
/** Beside dist/engine.mjs, where its import finds it; .vscodeignore lets it into the package. */
const staged = join(root, 'dist', 'node_modules');

/** This machine as `vsce --target` calls it: linux-x64, darwin-arm64, win32-x64 … */
export const hostTarget = `${process.platform}-${process.arch}`;

const binaries = target => join(native, 'bin', 'napi-v6', ...target.split('-'));

/**
 * Providers for CUDA and TensorRT, should an install have brought them, and the second copy of the macOS library:
 * its binding loads libonnxruntime.1.dylib.
 */
const left = /provider|cuda|tensorrt|cudnn|cublas|^libonnxruntime\.\d+\.\d+\.\d+\.dylib$/i;

/** Copies what the engine needs to run models into dist/node_modules. Returns false where onnxruntime-node has no binaries for `target`. */
export function stageOnnxRuntime(target) {
  unstageOnnxRuntime();
  if (!existsSync(binaries(target))) return false;
  const scripts = source => /(^|[\\/])[^.\\/]*$|\.js$|package\.json$/.test(source);
  copyScripts(native, 'dist', scripts);
  copyScripts(common, join('dist', 'cjs'), scripts);
  const to = join(staged, 'onnxruntime-node', 'bin', 'napi-v6', ...target.split('-'));
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(binaries(target)))
    if (!left.test(name)) copyFileSync(join(binaries(target), name), join(to, name));
  for (const name of ['LICENSE', 'ThirdPartyNotices.txt'])
    copyFileSync(join(root, 'media', 'onnxruntime', name), join(staged, 'onnxruntime-node', name));
  return true;
}

/** In the repository itself node_modules has the library. */
export function unstageOnnxRuntime() {
  rmSync(staged, { recursive: true, force: true });
}

function copyScripts(from, folder, filter) {
  const to = join(staged, from.split(/[\\/]/).at(-1));
  cpSync(join(from, folder), join(to, folder), { recursive: true, filter });
  copyFileSync(join(from, 'package.json'), join(to, 'package.json'));
}
