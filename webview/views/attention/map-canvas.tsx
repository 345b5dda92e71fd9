import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { contextOf, themeRamps, useThemeChanges } from '../editor/inside/ramp.ts';

interface MapCanvasProps {
  /** Row-major [token that looks, token that is looked at]; 0 is the background, `most` the full colour. */
  readonly weights_TT: readonly number[];
  readonly tokens: number;
  readonly most: number;
  /** CSS pixels of each side. */
  readonly size: number;
}

/** The weights of one head as pixels. */
export function MapCanvas({ weights_TT, tokens, most, size }: MapCanvasProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const themes = useThemeChanges();
  const ramp = useMemo(() => themeRamps().sequential, [themes]);
  useLayoutEffect(() => {
    const element = canvas.current;
    if (!element || tokens === 0) return;
    const image = new ImageData(tokens, tokens);
    weights_TT.forEach((weight, cell) => {
      const step = Math.round(Math.min(1, Math.max(0, weight / most)) * 255) * 4;
      image.data.set(ramp.subarray(step, step + 4), cell * 4);
    });
    element.width = tokens;
    element.height = tokens;
    contextOf(element).putImageData(image, 0, 0);
  }, [weights_TT, tokens, most, ramp]);
  // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a canvas takes no focus
  return <canvas ref={canvas} class="map" style={{ width: `${size}px`, height: `${size}px` }} aria-hidden="true" />;
}
