import { visible } from './untrusted.ts';

// GitHub-flavoured Markdown. Names from files are untrusted: none of them can become markup.

/** Cells are Markdown already; columns from `numbers` on are set right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[], numbers = 1): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = header.map((_, column) => (column < numbers ? '---' : '--:'));
  return [line(header), line(rule), ...rows.map(line)].join('\n');
}

/**
 * An untrusted name as a code span; one that holds anything unusual goes as character references instead, because a pipe, a backslash or a
 * backtick means something inside a code span in a table.
 */
export function code(name: string): string {
  const shown = visible(name);
  return /^[\w.\-/: +,=#@]+$/.test(shown) && shown.trim() === shown ? `\`${shown}\`` : text(shown);
}

/** Untrusted text as character references where a character could be markup. */
export function text(value: string): string {
  return visible(value).replace(/[!-/:-@[-`{-~]/g, char => (/[,()%]/.test(char) ? char : `&#${char.charCodeAt(0)};`));
}

/** A code block whose fence is longer than any run of backticks inside. */
export function fence(content: string, language: string): string {
  const longestRun = Math.max(2, ...[...content.matchAll(/`+/g)].map(([run]) => run.length));
  const mark = '`'.repeat(longestRun + 1);
  return `${mark}${language}\n${content}\n${mark}`;
}

/** A cell of a tree's first column, set in by its depth. */
export const indented = (cell: string, level: number): string => `${'&nbsp;&nbsp;&nbsp;'.repeat(level)}${cell}`;
