import type { ProgressEvent } from '../core/session/types.ts';

const width = 30;

/** A bar on standard error, where that is a terminal and the work is longer than a second. Call `done` before anything else is written. */
export function progressBar(): { progress(event: ProgressEvent): void; done(): void } {
  const started = performance.now();
  let drawn = 0;
  return {
    progress({ fraction, what }) {
      const now = performance.now();
      if (!process.stderr.isTTY || now - started < 1000 || now - drawn < 100) return;
      drawn = now;
      const filled = Math.round((fraction ?? 0) * width);
      const bar = '#'.repeat(filled).padEnd(width, '.');
      process.stderr.write(`\r[${bar}] ${Math.floor((fraction ?? 0) * 100)} %  ${printable(what).slice(0, 48).padEnd(48)}`);
    },
    done() {
      if (drawn > 0) process.stderr.write(`\r${' '.repeat(width + 60)}\r`);
    },
  };
}

/** Names from files are untrusted: control characters (escape sequences) are shown, not obeyed. */
export const printable = (text: string): string =>
  text.replace(/[\u0000-\u001f\u007f-\u009f]/g, c => (c < '\u0020' ? String.fromCharCode(0x2400 + c.charCodeAt(0)) : '\ufffd'));
