/** Bins on each side of 0. */
export const HALF = 1024;

/** How often values fall where, between -limit and limit; the limit doubles when a value lies beyond it. */
export class Histogram {
  /** The smallest and the largest value, 0 among them. */
  low = 0;
  high = 0;
  readonly counts = new Float64Array(2 * HALF);
  limit = 0;

  add(values: Float32Array): void {
    for (const value of values) {
      if (value < this.low) this.low = value;
      else if (value > this.high) this.high = value;
    }
    const most = Math.max(-this.low, this.high);
    if (!Number.isFinite(most) || most === 0) return;
    if (this.limit === 0) this.limit = most;
    while (this.limit < most) this.#double();
    const perUnit = HALF / this.limit;
    for (const value of values) this.counts[Math.min(2 * HALF - 1, Math.max(0, Math.floor(value * perUnit) + HALF))]!++;
  }

  /** Two bins become one, towards the middle. */
  #double(): void {
    const old = this.counts.slice();
    this.counts.fill(0);
    for (let bin = 0; bin < 2 * HALF; bin++) this.counts[(bin >> 1) + HALF / 2]! += old[bin]!;
    this.limit *= 2;
  }

  /** The middle of a bin. */
  middle(bin: number): number {
    return ((bin - HALF + 0.5) / HALF) * this.limit;
  }
}
