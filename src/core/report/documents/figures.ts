// Numbers as a document writes them. Sizes are in powers of 1,000; a no-break space joins a number and its unit.

const noBreak = '\u00a0';
const minus = '\u2212';
const digits = (value: number, places: number, locale: string): string =>
  new Intl.NumberFormat(locale, { minimumFractionDigits: places, maximumFractionDigits: places }).format(value);

export const count = (value: number, locale = 'en'): string => new Intl.NumberFormat(locale).format(value);

/** 768 B, 1.5 KB, 590 KB, 7.1 MB, 1.34 GB */
export function bytes(value: number, locale = 'en'): string {
  const [scaled, places, unit] = scaleOf(Math.abs(value));
  return `${value < 0 ? minus : ''}${digits(scaled, places, locale)}${noBreak}${unit}`;
}

function scaleOf(size: number): [number, number, string] {
  if (size < 1000) return [size, 0, 'B'];
  if (size < 9_950) return [size / 1e3, 1, 'KB'];
  if (size < 999_500) return [size / 1e3, 0, 'KB'];
  if (size < 999_950_000) return [size / 1e6, 1, 'MB'];
  return [size / 1e9, 2, 'GB'];
}

/** −67.4 MB, +512 B, 0 */
export function byteChange(before: number, after: number, locale = 'en'): string {
  if (after === before) return '0';
  return sign(after - before) + bytes(Math.abs(after - before), locale);
}

export function countChange(before: number, after: number, locale = 'en'): string {
  if (after === before) return '0';
  return sign(after - before) + count(Math.abs(after - before), locale);
}

/** −74.1 %; undefined where there was nothing before. A change too small for one decimal is not 0: <0.1 %. */
export function percentChange(before: number, after: number, locale = 'en'): string | undefined {
  if (before === 0) return undefined;
  if (after === before) return `0${noBreak}%`;
  const share = (Math.abs(after - before) / before) * 100;
  const shown = share < 0.05 ? `<${digits(0.1, 1, locale)}` : digits(share, 1, locale);
  return `${sign(after - before)}${shown}${noBreak}%`;
}

/** 3.87; undefined under 1.01, where it says nothing. */
export function factor(before: number, after: number, locale = 'en'): string | undefined {
  const times = before / after;
  return Number.isFinite(times) && times >= 1.01 ? digits(times, 2, locale) : undefined;
}

/** A relative error as a percentage: 0.7 %, 18.2 %, <0.1 %; 0 only when it is. */
export function errorPercent(relative: number, locale = 'en'): string {
  if (!Number.isFinite(relative)) return '∞';
  if (relative === 0) return `0${noBreak}%`;
  return `${relative < 0.0005 ? `<${digits(0.1, 1, locale)}` : digits(relative * 100, 1, locale)}${noBreak}%`;
}

/** Three decimals, five above 0.9995; rounded down, so that 1 means equal. */
export function cosine(value: number, locale = 'en'): string {
  if (value === 1) return '1';
  const places = value > 0.9995 ? 5 : 3;
  return digits(Math.floor(value * 10 ** places) / 10 ** places, places, locale).replace('-', minus);
}

/** 0.4 s, 18 s, 2 min 10 s */
export function seconds(value: number, locale = 'en'): string {
  if (value < 9.95) return `${digits(value, 1, locale)}${noBreak}s`;
  const whole = Math.round(value);
  if (whole < 60) return `${whole}${noBreak}s`;
  return `${count(Math.floor(whole / 60), locale)}${noBreak}min ${whole % 60}${noBreak}s`;
}

/** 86.72 */
export const decimals = digits;

/** 99.2 % of 1; rounded down, so that 100 % means all. */
export const percent = (part: number, locale = 'en'): string => `${digits(Math.floor(part * 1000) / 10, 1, locale)}${noBreak}%`;

/** 7.2 ms, 480 ms, 1.8 s */
export const milliseconds = (value: number, locale = 'en'): string =>
  value < 999.5 ? `${digits(value, value < 99.95 ? 1 : 0, locale)}${noBreak}ms` : seconds(value / 1000, locale);

/** 384 × 1536, without separators; a scalar is 1. */
export const shape = (dims: readonly number[]): string => (dims.length === 0 ? '1' : dims.join(' × '));

const sign = (difference: number): string => (difference < 0 ? minus : '+');
