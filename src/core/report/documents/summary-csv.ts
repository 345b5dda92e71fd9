import type { Summary, TreeNode } from '../tree.ts';

const header = ['id', 'title', 'kind', 'parameters', 'bytes', 'share', 'dtype', 'shape', 'tensors'];

/**
 * A model's tree as CSV (RFC 4180: lines end in CR LF), a row for each node in the tree's order, the model itself first.
 * share  of the model's parameters, 0 to 1;  shape  "384x1536";  tensors  names in the file, "; " between them
 * Children sum to their parent, so rows of one kind sum to the model, not the column.
 */
export function summaryCsv({ tree, model }: Summary): string {
  const lines = [header.join(',')];
  const add = (node: TreeNode): void => {
    lines.push(rowOf(node, model.parameters));
    node.children?.forEach(add);
  };
  add(tree);
  return `${lines.join('\r\n')}\r\n`;
}

function rowOf(node: TreeNode, total: number): string {
  return [
    cell(node.id),
    cell(node.title),
    cell(node.kind),
    node.parameters,
    node.byteLength,
    total === 0 ? 0 : Number((node.parameters / total).toPrecision(6)),
    cell(node.dtype ?? ''),
    cell(node.shape?.join('x') ?? ''),
    cell(node.tensors?.join('; ') ?? ''),
  ].join(',');
}

/**
 * Names come from the file, and a spreadsheet takes a cell that begins with one of these for a formula: an apostrophe before it makes it text.
 * Anything but plain words is quoted, also what only separates columns in other languages' spreadsheets.
 */
function cell(value: string): string {
  const inert = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(value) ? `'${value}` : value;
  return /^[\w./:-]*$/.test(inert) ? inert : `"${inert.replaceAll('"', '""')}"`;
}
