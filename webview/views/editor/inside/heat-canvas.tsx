import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import type { HeatMap, Window } from '../../../../src/protocol/messages.ts';
import { type HeadBand, heightOf, sameWindow, widthOf } from '../../../layout/heat-window.ts';
import { real } from '../../../numbers.ts';
import { contextOf, inkOn, type Ramps, themeRamps, useThemeChanges } from './ramp.ts';

export interface HeatCanvasProps {
  readonly map: HeatMap;
  /** What is to be seen; where the map does not reach, nothing is drawn yet. */
  readonly window: Window;
  readonly bands: readonly HeadBand[];
  readonly axis: 'rows' | 'columns' | undefined;
  /** CSS pixels. */
  readonly width: number;
  readonly height: number;
}

/** Cells as pixels, and lines where heads begin. */
export function HeatCanvas({ map, window, bands, axis, width, height }: HeatCanvasProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const themes = useThemeChanges();
  const ramps = useMemo(themeRamps, [themes]);
  const cells = useMemo(() => picture(map, ramps), [map, ramps]);
  useLayoutEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const density = globalThis.devicePixelRatio || 1;
    element.width = Math.round(width * density);
    element.height = Math.round(height * density);
    const context = contextOf(element);
    context.imageSmoothingEnabled = false;
    const across = element.width / widthOf(window);
    const down = element.height / heightOf(window);
    const [left, top] = [(map.window.left - window.left) * across, (map.window.top - window.top) * down];
    context.drawImage(cells, left, top, widthOf(map.window) * across, heightOf(map.window) * down);
    if (sameWindow(map.window, window)) writeValues(context, map, ramps, density);
    context.strokeStyle = ramps.line;
    context.globalAlpha = 0.4;
    context.lineWidth = Math.max(1, Math.round(density));
    context.beginPath();
    for (const { from } of bands.filter(band => band.from > 0)) {
      const at = Math.round(from * (axis === 'rows' ? element.height : element.width)) + 0.5;
      context.moveTo(axis === 'rows' ? 0 : at, axis === 'rows' ? at : 0);
      context.lineTo(axis === 'rows' ? element.width : at, axis === 'rows' ? at : element.height);
    }
    context.stroke();
  }, [cells, window, bands, axis, width, height, ramps]);
  // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a canvas takes no focus
  return <canvas ref={canvas} style={{ width: `${width}px`, height: `${height}px` }} aria-hidden="true" />;
}

/** One pixel a cell. */
function picture(map: HeatMap, ramps: Ramps): HTMLCanvasElement {
  const canvas = Object.assign(document.createElement('canvas'), { width: map.columns, height: map.rows });
  const image = new ImageData(map.columns, map.rows);
  const colour = colourOf(map, ramps);
  map.cells.forEach((value, cell) => {
    image.data.set(colour(value), cell * 4);
  });
  contextOf(canvas).putImageData(image, 0, 0);
  return canvas;
}

/** Single values over zero in the middle, blocks from the smallest to the largest. */
function colourOf(map: HeatMap, ramps: Ramps): (value: number | null) => Uint8ClampedArray {
  const ramp = map.exact ? ramps.diverging : ramps.sequential;
  const most = Math.max(Math.abs(map.from), Math.abs(map.to)) || 1;
  const range = map.to - map.from;
  const level = (value: number): number => {
    if (map.exact) return (value / most + 1) / 2;
    if (range > 0) return (value - map.from) / range;
    return value ? 1 : 0;
  };
  return value => {
    if (value === null) return ramps.absent;
    const step = Math.round(level(value) * 255) * 4;
    return ramp.subarray(step, step + 4);
  };
}

/** CSS pixels of a cell that its number fits in. */
const readable = { width: 32, height: 14 } as const;

/** Single values as numbers, once their cells are large enough. */
function writeValues(context: CanvasRenderingContext2D, map: HeatMap, ramps: Ramps, density: number): void {
  const { width, height } = context.canvas;
  const [across, down] = [width / map.columns, height / map.rows];
  if (!map.exact || across < readable.width * density || down < readable.height * density) return;
  const colour = colourOf(map, ramps);
  context.font = `${10 * density}px ${getComputedStyle(document.body).fontFamily}`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  map.cells.forEach((value, cell) => {
    context.fillStyle = inkOn(colour(value), ramps.inks);
    const [row, column] = [Math.floor(cell / map.columns), cell % map.columns];
    context.fillText(value === null ? '×' : real(value, 2), (column + 0.5) * across, (row + 0.5) * down, across * 0.94);
  });
}
