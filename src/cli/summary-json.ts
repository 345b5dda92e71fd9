import type { Summary, TreeNode } from '../core/report/tree.ts';

/** Pieces of about this many characters: large enough that a write costs nothing beside what it writes. */
const pieceLength = 256 * 1024;
/** Rows without rows below them that are made text at once. */
const batch = 256;

/**
 * JSON.stringify(summary) and a line end, in pieces: that of 50,000 tensors is 18 MB, which as one text would be in memory three times
 * before it is written.
 */
export function* summaryJson(summary: Summary): Generator<string> {
  const [before, after] = JSON.stringify({ ...summary, tree: null, heads: [] }).split('"tree":null,"heads":[]') as [
    string,
    string,
  ];
  let text = `${before}"tree":`;
  for (const piece of treeJson(summary.tree)) {
    text += piece;
    if (text.length < pieceLength) continue;
    yield text;
    text = '';
  }
  text += ',"heads":[';
  for (let start = 0; start < summary.heads.length; start += batch)
    text += (start > 0 ? ',' : '') + JSON.stringify(summary.heads.slice(start, start + batch)).slice(1, -1);
  yield `${text}]${after}\n`;
}

function* treeJson(node: TreeNode): Generator<string> {
  const { children, ...own } = node;
  if (!children || (children.length <= batch && children.every(isLeaf))) {
    yield JSON.stringify(node);
    return;
  }
  yield `${JSON.stringify(own).slice(0, -1)},"children":[`;
  for (let at = 0; at < children.length; ) {
    if (at > 0) yield ',';
    let end = at;
    while (end < children.length && end - at < batch && isLeaf(children[end]!)) end++;
    if (end === at) yield* treeJson(children[at++]!);
    else {
      yield JSON.stringify(children.slice(at, end)).slice(1, -1);
      at = end;
    }
  }
  yield ']}';
}

const isLeaf = (node: TreeNode): boolean => node.children === undefined;
