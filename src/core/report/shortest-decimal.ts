/**
 * The shortest decimal that rounds to this f32 and to no other: 0.1, not 0.10000000149011612. Nine digits always do; eight mostly do.
 * NaN, Infinity and -0 by these names.
 */
export function shortestDecimal(value: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const size = Math.abs(value);
  if (!(size >= 1e-7 && size < 1e7)) return Number.isFinite(value) ? slowly(value) : String(value);
  // A whole number below 2^53 divided by a power of ten up to 10^22 is the double nearest to that decimal, which String gives back.
  let digits = 8 - Math.floor(Math.log10(size));
  let found = value;
  for (let left = 9; left > 0; left--, digits--) {
    const power = 10 ** Math.abs(digits);
    const rounded = digits >= 0 ? Math.round(value * power) / power : Math.round(value / power) * power;
    if (Math.fround(rounded) !== value) break;
    found = rounded;
  }
  return String(found);
}

function slowly(value: number): string {
  let precision = 9;
  while (precision > 1 && Math.fround(Number(value.toPrecision(precision - 1))) === value) precision--;
  return String(Number(value.toPrecision(precision)));
}
