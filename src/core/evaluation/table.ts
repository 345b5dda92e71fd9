export interface Row {
  readonly cells: readonly string[];
  /** Of the file, from 1: the first of a record that spans lines. */
  readonly line: number;
}

/** Rows of a file of tab-separated values: no quoting, as GLUE writes them. Empty lines are left out. */
export function tabSeparated(text: string): Row[] {
  return text
    .split('\n')
    .map((line, index) => ({ cells: line.replace(/\r$/, '').split('\t'), line: index + 1 }))
    .filter(({ cells }) => cells.some(cell => cell.trim() !== ''));
}

/** Rows of a file of comma-separated values; cells in double quotes may hold commas, line breaks and doubled quotes (RFC 4180). */
export function commaSeparated(text: string): Row[] {
  const rows: Row[] = [];
  let cells: string[] = [];
  let [line, started] = [1, 1];
  const cell = /("(?:[^"]|"")*"|[^",\r\n]*[^,\r\n]*)(,|\r?\n|\r|$)/y;
  while (cell.lastIndex < text.length || cells.length > 0) {
    const match = cell.exec(text);
    if (!match) break;
    const [, raw, end] = match as unknown as [string, string, string];
    cells.push(raw.startsWith('"') && raw.endsWith('"') && raw.length > 1 ? raw.slice(1, -1).replaceAll('""', '"') : raw);
    line += raw.split('\n').length - 1;
    if (end === ',') continue;
    if (cells.some(it => it.trim() !== '')) rows.push({ cells, line: started });
    cells = [];
    if (end === '') break;
    started = ++line;
  }
  return rows;
}
