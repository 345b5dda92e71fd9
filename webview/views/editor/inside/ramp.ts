import { useEffect, useState } from 'preact/hooks';

// Colours for canvas, from the theme's tokens: 256 steps, mixed by the browser as the legends are.

export interface Ramps {
  /** Small to large, r g b a. */
  readonly sequential: Uint8ClampedArray;
  /** Negative over zero to positive. */
  readonly diverging: Uint8ClampedArray;
  /** Where a cell holds no finite value. */
  readonly absent: Uint8ClampedArray;
  readonly line: string;
  /** Colours of text, to choose from by contrast. */
  readonly inks: readonly Ink[];
}

export interface Ink {
  readonly colour: string;
  readonly luminance: number;
}

const steps = 256;

export function themeRamps(): Ramps {
  const style = getComputedStyle(document.body);
  const token = (name: string): string => style.getPropertyValue(name).trim();
  const [cool, warm, background] = [token('--hr-cool'), token('--hr-warm'), token('--hr-bg')];
  const mix = (colour: string, share: number): string =>
    `color-mix(in oklab, ${colour} ${(share * 100).toFixed(2)}%, ${background})`;
  const side = (at: number): string => (at < 0 ? mix(warm, -at) : mix(cool, at));
  return {
    sequential: painted(step => mix(cool, 0.08 + 0.92 * (step / (steps - 1)))),
    diverging: painted(step => side((step / (steps - 1)) * 2 - 1)),
    absent: painted(() => token('--hr-gone')).slice(0, 4),
    line: token('--hr-fg'),
    inks: [token('--hr-fg'), background].map(colour => ({ colour, luminance: luminance(painted(() => colour)) })),
  };
}

/** Relative luminance of the first pixel, 0 to 1 (WCAG 2.2). */
export function luminance(pixels: Uint8ClampedArray): number {
  const linear = [0, 1, 2].map(channel => {
    const share = pixels[channel]! / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * linear[0]! + 0.7152 * linear[1]! + 0.0722 * linear[2]!;
}

/** The ink that stands out most. */
export function inkOn(pixel: Uint8ClampedArray, inks: readonly Ink[]): string {
  const ground = luminance(pixel);
  const contrast = (ink: Ink): number => (Math.max(ink.luminance, ground) + 0.05) / (Math.min(ink.luminance, ground) + 0.05);
  return inks.reduce((best, ink) => (contrast(ink) > contrast(best) ? ink : best)).colour;
}

function painted(colour: (step: number) => string): Uint8ClampedArray {
  const context = contextOf(Object.assign(document.createElement('canvas'), { width: steps, height: 1 }));
  for (let step = 0; step < steps; step++) {
    context.fillStyle = colour(step);
    context.fillRect(step, 0, 1, 1);
  }
  return context.getImageData(0, 0, steps, 1).data;
}

export function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  return canvas.getContext('2d', { willReadFrequently: true })!;
}

/** Rises whenever the theme changes, so that what is painted is painted again. */
export function useThemeChanges(): number {
  const [changes, setChanges] = useState(0);
  useEffect(() => {
    const observer = new MutationObserver(() => setChanges(now => now + 1));
    observer.observe(document.body, { attributes: true, attributeFilter: ['class'] });
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style', 'data-theme'] });
    return () => observer.disconnect();
  }, []);
  return changes;
}
