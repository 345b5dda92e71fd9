/** What an icicle is drawn from: `value` of a parent is the sum of its children's. */
export interface IcicleNode {
  readonly id: string;
  readonly value: number;
  readonly children: readonly IcicleNode[];
}

/** A rectangle in shares of the whole width and in levels from the top: [left, right) by [top, bottom). */
export interface IcicleRect {
  readonly id: string;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  /** id of the rectangle above, or undefined at the top. */
  readonly parent: string | undefined;
}

/**
 * One rectangle a node, `levels` deep, the root itself left out. A node without children runs to the bottom.
 * What is narrower than `least` of the whole is not drawn, nor what is below it.
 */
export function icicle(root: IcicleNode, levels: number, least: number): IcicleRect[] {
  const rects: IcicleRect[] = [];
  function place(node: IcicleNode, left: number, top: number, parent: string | undefined): void {
    let from = left;
    for (const child of node.children) {
      const right = from + (root.value > 0 ? child.value / root.value : 0);
      if (right - from >= least && right > from) {
        const bottom = child.children.length && top + 1 < levels ? top + 1 : levels;
        rects.push({ id: child.id, left: from, right, top, bottom, parent });
        if (bottom < levels) place(child, from, top + 1, child.id);
      }
      from = right;
    }
  }
  place(root, 0, 0, undefined);
  return rects;
}

/** Where an arrow key leads from rectangle `id`; itself at an edge. Left and right stay on a level, up is what it is part of, down its first part. */
export function icicleNeighbour(rects: readonly IcicleRect[], id: string, key: string): string {
  const at = rects.find(rect => rect.id === id);
  if (!at) return rects[0]?.id ?? id;
  if (key === 'ArrowUp') return at.parent ?? id;
  if (key === 'ArrowDown') return rects.find(rect => rect.parent === id)?.id ?? id;
  const level = rects.filter(rect => rect.top === at.top);
  const index = level.indexOf(at);
  if (key === 'Home') return level[0]!.id;
  if (key === 'End') return level.at(-1)!.id;
  const step = key === 'ArrowRight' ? 1 : key === 'ArrowLeft' ? -1 : 0;
  return level[Math.max(0, Math.min(level.length - 1, index + step))]!.id;
}
