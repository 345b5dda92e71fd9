import { locale, t } from './l10n.ts';

// How numbers are written, everywhere: value and unit apart, so that a column can align them.

export interface Measured {
  readonly value: string;
  readonly unit: string;
}

const space = '\u00a0';
const minus = '\u2212';

const formats = new Map<string, Intl.NumberFormat>();
function fixed(value: number, digits: number): string {
  const key = String(digits);
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
    formats.set(key, format);
  }
  return format.format(value).replace('-', minus);
}

/** 86.72 */
export const decimals = fixed;

/** 1,774,464 */
export const count = (value: number): string => fixed(value, 0);

/** 512 x 384 with the sign of multiplication; no separators inside a dimension. A scalar is "1". */
export const shape = (dimensions: readonly number[]): string => (dimensions.length ? dimensions.join(' × ') : '1');

/** 768 B, 1.5 KB, 590 KB, 90.9 MB, 5.24 GB: powers of 1,000. */
export function bytes(value: number): Measured {
  const size = Math.abs(value);
  if (size < 1000) return { value: fixed(value, 0), unit: 'B' };
  if (size < 999_500) return { value: fixed(value / 1e3, size < 9_950 ? 1 : 0), unit: 'KB' };
  if (size < 999.95e6) return { value: fixed(value / 1e6, 1), unit: 'MB' };
  return { value: fixed(value / 1e9, 2), unit: 'GB' };
}

/** 7.81 %, or <0.01 % for what is there but too small to say. `part` of 1. */
export function share(part: number, digits = 2): string {
  const least = 10 ** -digits;
  if (part > 0 && part * 100 < least / 2) return `<${fixed(least, digits)}${space}%`;
  return `${fixed(part * 100, digits)}${space}%`;
}

/** −67.4 MB, +512 B; zero is "0" without a unit. */
export function changeBytes(difference: number): Measured {
  if (difference === 0) return { value: '0', unit: '' };
  const { value, unit } = bytes(Math.abs(difference));
  return { value: sign(difference) + value, unit };
}

/** −1,774,464; zero is "0". */
export const changeCount = (difference: number): string => sign(difference) + count(Math.abs(difference));

/** −74.1 % of `before`; "new" when there was nothing before; zero is "0". */
export function changeShare(before: number, after: number): string {
  if (after === before) return '0';
  if (before === 0) return t('new');
  const change = (after - before) / before;
  const least = 0.0005;
  if (Math.abs(change) < least) return `${sign(change)}<${fixed(0.1, 1)}${space}%`;
  return `${sign(change)}${fixed(Math.abs(change) * 100, 1)}${space}%`;
}

/** 3.87 for "3.87 × smaller"; undefined under 1.01, where it is not shown. */
export function factor(before: number, after: number): string | undefined {
  const times = after > 0 ? before / after : Number.POSITIVE_INFINITY;
  return times < 1.01 || !Number.isFinite(times) ? undefined : fixed(times, 2);
}

/** 0.987; five digits above 0.9995; rounded down, so that 1 means equal. */
export function cosine(value: number): string {
  if (value >= 1) return '1';
  const digits = value > 0.9995 ? 5 : 3;
  return fixed(Math.floor(value * 10 ** digits) / 10 ** digits, digits);
}

/** A weight: 0.0822, −0.427, 1.4e−4; `digits` that matter. Where digits would not tell it apart, powers of ten. Zero and whole numbers as they are. */
export function real(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return String(value).replace('-', minus).replace('Infinity', '∞');
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size < 1e6 && (Number.isInteger(value) || size >= 10 ** digits)) return fixed(value, 0);
  if (size >= 1e-3 && size < 1e6) return significant(value, digits);
  const [mantissa, exponent] = value.toExponential(Math.max(1, digits - 2)).split('e');
  return `${significant(Number(mantissa), digits)}e${Number(exponent) < 0 ? minus : ''}${Math.abs(Number(exponent))}`;
}

const significantFormats = new Map<number, Intl.NumberFormat>();
function significant(value: number, digits: number): string {
  let format = significantFormats.get(digits);
  if (!format) {
    format = new Intl.NumberFormat(locale, { maximumSignificantDigits: digits, useGrouping: false });
    significantFormats.set(digits, format);
  }
  return format.format(value).replace('-', minus);
}

/** 7.2 ms, 480 ms, 18 s, 2 min 10 s. */
export function time(milliseconds: number): Measured[] {
  if (milliseconds < 999.5) return [{ value: fixed(milliseconds, milliseconds < 99.95 ? 1 : 0), unit: 'ms' }];
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return [{ value: milliseconds < 9_950 ? fixed(milliseconds / 1000, 1) : count(seconds), unit: 's' }];
  const rest = seconds % 60;
  const minutes = { value: count(Math.floor(seconds / 60)), unit: 'min' };
  return rest ? [minutes, { value: count(rest), unit: 's' }] : [minutes];
}

/** "590 KB", with a no-break space. */
export const text = ({ value, unit }: Measured): string => (unit ? `${value}${space}${unit}` : value);
export const bytesText = (value: number): string => text(bytes(value));
export const timeText = (milliseconds: number): string => time(milliseconds).map(text).join(' ');

/** "589,824 bytes", for tooltips. */
export const exactBytes = (value: number): string => t('{n} bytes', { n: value });

function sign(value: number): string {
  return value < 0 ? minus : value > 0 ? '+' : '';
}
