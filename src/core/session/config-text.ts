/**
 * config.json with other values at its top level. What did not change keeps its text: 2.0 stays 2.0 (transformers refuses an integer
 * where it expects a float), and so do long integers and the order of the keys.
 *
 * text   the file as it was, a JSON object
 * after  what it shall hold
 */
export function configText(text: string, after: Readonly<Record<string, unknown>>): string {
  const kept = entriesOf(text);
  const before = JSON.parse(text) as Record<string, unknown>;
  const keys = [...kept.keys()].filter(key => Object.hasOwn(after, key));
  keys.push(...Object.keys(after).filter(key => !kept.has(key)));
  const lines = keys.map(key => {
    const same = kept.has(key) && JSON.stringify(before[key]) === JSON.stringify(after[key]);
    const value = same ? kept.get(key)! : JSON.stringify(after[key], null, 2).replaceAll('\n', '\n  ');
    return `  ${JSON.stringify(key)}: ${value}`;
  });
  return `{\n${lines.join(',\n')}\n}\n`;
}

/** The text of each value at the top level of a JSON object; of a key that stands twice the last one counts, as in JSON.parse. */
function entriesOf(text: string): Map<string, string> {
  const entries = new Map<string, string>();
  const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s"{}[\],:]+/g;
  let [depth, key, start] = [0, '', -1];
  for (let match = token.exec(text); match; match = token.exec(text)) {
    const [part] = match;
    if (depth === 1 && start < 0 && part.startsWith('"')) key = JSON.parse(part) as string;
    else if (depth === 1 && part === ':') start = token.lastIndex;
    else if (depth === 1 && (part === ',' || part === '}') && start >= 0) {
      entries.set(key, text.slice(start, match.index).trim());
      start = -1;
    }
    if (part === '{' || part === '[') depth++;
    if (part === '}' || part === ']') depth--;
  }
  return entries;
}
