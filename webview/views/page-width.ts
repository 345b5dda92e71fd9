import { useEffect, useState } from 'preact/hooks';

export type Layout = 'wide' | 'medium' | 'narrow';

/** Widths of the page, in pixels, where the layout changes. */
export const layoutOf = (width: number): Layout => (width >= 960 ? 'wide' : width >= 560 ? 'medium' : 'narrow');

/** The width of the page in pixels; the component is drawn again when it changes. */
export function usePageWidth(): number {
  const [width, setWidth] = useState(window.innerWidth);
  useEffect(() => {
    const update = (): void => setWidth(window.innerWidth);
    window.addEventListener('resize', update);
    return () => window.removeEventListener('resize', update);
  }, []);
  return width;
}
