/** Rows [first, end) to keep in the page for a scroll position in pixels: what is seen and `spare` rows on both sides. */
export function visibleRows(
  scrollTop: number,
  height: number,
  rowHeight: number,
  count: number,
  spare: number,
): { readonly first: number; readonly end: number } {
  const first = Math.min(count, Math.max(0, Math.floor(scrollTop / rowHeight) - spare));
  const end = Math.max(first, Math.min(count, Math.ceil((scrollTop + height) / rowHeight) + spare));
  return { first, end };
}

/** The scroll position nearest to `scrollTop` that shows row `index` whole, in a view `height` pixels high. */
export function scrollTopShowing(index: number, scrollTop: number, height: number, rowHeight: number): number {
  const top = index * rowHeight;
  if (top < scrollTop) return top;
  return Math.max(scrollTop, top + rowHeight - height);
}
