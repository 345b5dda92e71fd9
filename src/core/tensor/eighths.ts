import type { DType } from './dtype.ts';

/** A float format of 8 bits or fewer: a sign, exponent bits, fraction bits. */
interface SmallFloat {
  readonly exponentBits: number;
  readonly fractionBits: number;
  readonly bias: number;
  /**
   * ieee: the highest exponent is infinity and NaN. finite: all ones is NaN, no infinities (OCP). none: neither.
   * unsigned-zero: the pattern of minus zero is NaN, nothing else is (the "fnuz" formats).
   */
  readonly special: 'ieee' | 'finite' | 'none' | 'unsigned-zero';
}

// OCP 8-bit Floating Point Specification 1.0; OCP Microscaling Formats 1.0; Noune et al. 2022 for the fnuz formats.
const formats: Partial<Record<DType, SmallFloat>> = {
  fp8_e4m3fn: { exponentBits: 4, fractionBits: 3, bias: 7, special: 'finite' },
  fp8_e4m3fnuz: { exponentBits: 4, fractionBits: 3, bias: 8, special: 'unsigned-zero' },
  fp8_e5m2: { exponentBits: 5, fractionBits: 2, bias: 15, special: 'ieee' },
  fp8_e5m2fnuz: { exponentBits: 5, fractionBits: 2, bias: 16, special: 'unsigned-zero' },
  fp6_e2m3: { exponentBits: 2, fractionBits: 3, bias: 1, special: 'none' },
  fp6_e3m2: { exponentBits: 3, fractionBits: 2, bias: 3, special: 'none' },
  fp4_e2m1: { exponentBits: 2, fractionBits: 1, bias: 1, special: 'none' },
};

/** The value of every bit pattern of a float dtype of 8 bits or fewer; undefined for other dtypes. */
export function smallFloatTable(dtype: DType): Float32Array | undefined {
  if (dtype === 'fp8_e8m0')
    return Float32Array.from({ length: 256 }, (_, bits) => (bits === 255 ? Number.NaN : 2 ** (bits - 127)));
  const format = formats[dtype];
  if (!format) return undefined;
  const patterns = 2 ** (1 + format.exponentBits + format.fractionBits);
  return Float32Array.from({ length: patterns }, (_, bits) => floatOfPattern(bits, format));
}

function floatOfPattern(bits: number, { exponentBits, fractionBits, bias, special }: SmallFloat): number {
  const fraction = bits & (2 ** fractionBits - 1);
  const exponent = (bits >> fractionBits) & (2 ** exponentBits - 1);
  const isNegative = bits >> (fractionBits + exponentBits) === 1;
  const isHighest = exponent === 2 ** exponentBits - 1;
  if (special === 'unsigned-zero' && isNegative && exponent === 0 && fraction === 0) return Number.NaN;
  if (special === 'ieee' && isHighest) return fraction ? Number.NaN : isNegative ? -Infinity : Infinity;
  if (special === 'finite' && isHighest && fraction === 2 ** fractionBits - 1) return Number.NaN;
  const scale = 2 ** -fractionBits;
  const size = exponent === 0 ? fraction * scale * 2 ** (1 - bias) : (1 + fraction * scale) * 2 ** (exponent - bias);
  return isNegative ? -size : size;
}
