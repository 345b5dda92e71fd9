import type { FrameLocator } from 'playwright-core';

// What of the page's own interface is used below; this program has no types of the DOM.
interface Box {
  scrollTop: number;
  readonly clientHeight: number;
  readonly scrollHeight: number;
  querySelectorAll(selector: string): ArrayLike<Box>;
}
declare function getComputedStyle(box: Box): { readonly overflowY: string };
declare function requestAnimationFrame(step: (now: number) => void): number;

export interface Frames {
  readonly count: number;
  readonly seconds: number;
  /** The longest time between two frames, in milliseconds. */
  readonly longestMs: number;
  /** Rows in the page, the most there were. */
  readonly mostRows: number;
  /** How far the table was scrolled, in pixels. */
  readonly scrolled: number;
}

/** Scrolls the page's table a screenful at each frame, to its end and back, for `ms`; what the person would have seen. */
export async function scrollAndMeasure(page: FrameLocator, ms: number): Promise<Frames> {
  const grid = page.locator('[role=treegrid]');
  return grid.evaluate((root, ms) => {
    const element = root as unknown as Box;
    // The table scrolls itself or stands in what scrolls.
    let scroller = element;
    for (const each of [...Array.from(element.querySelectorAll('*')), element])
      if (each.scrollHeight > each.clientHeight + 1 && /auto|scroll/.test(getComputedStyle(each).overflowY)) scroller = each;
    return new Promise<Frames>(resolve => {
      const started = performance.now();
      let [last, count, longestMs, mostRows, scrolled, direction] = [started, 0, 0, 0, 0, 1];
      const step = (now: number): void => {
        count += 1;
        longestMs = Math.max(longestMs, now - last);
        last = now;
        mostRows = Math.max(mostRows, element.querySelectorAll('[role=row]').length);
        const before = scroller.scrollTop;
        scroller.scrollTop += direction * scroller.clientHeight;
        scrolled += Math.abs(scroller.scrollTop - before);
        if (scroller.scrollTop === before) direction = -direction;
        if (now - started < ms) requestAnimationFrame(step);
        else resolve({ count, seconds: (now - started) / 1000, longestMs, mostRows, scrolled });
      };
      requestAnimationFrame(step);
    });
  }, ms);
}
