import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { runTests } from '@vscode/test-electron';
import { bundleHostTests, root } from './bundle.ts';

/**
 * The tests of in-vscode.ts in a desktop VS Code. Without `executable` one is downloaded, which needs the internet.
 * throws  when a test fails, or VS Code cannot be had or started
 */
export async function runInDesktop(executable?: string): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), 'headroom-desktop-'));
  try {
    await runTests({
      ...(executable && { vscodeExecutablePath: executable }),
      extensionDevelopmentPath: root,
      extensionTestsPath: await bundleHostTests(),
      launchArgs: ['--disable-workspace-trust', '--disable-extensions', '--user-data-dir', data],
    });
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}

/** The program behind the `code` command, which is a script that starts it and returns at once. Undefined where it is not in a known place. */
export function executableOf(command: string): string | undefined {
  const bin = dirname(realpathSync(command));
  const candidates = [
    // Linux: /usr/share/code/bin/code starts /usr/share/code/code.
    resolve(bin, '../code'),
    // macOS: Contents/Resources/app/bin/code starts Contents/MacOS/Electron.
    resolve(bin, '../../../MacOS/Electron'),
    // Windows: bin/code.cmd starts Code.exe.
    resolve(bin, '../Code.exe'),
  ];
  return candidates.find(path => existsSync(path));
}
