import { bytes, exactBytes, type Measured } from '../numbers.ts';

/** A number and its unit in a column of its own, so that digits line up. */
export function Value({ value, unit }: Measured) {
  return (
    <>
      {value}
      <span class="u unit">{unit}</span>
    </>
  );
}

export function Bytes({ of }: { of: number }) {
  return (
    <span title={exactBytes(of)}>
      <Value {...bytes(of)} />
    </span>
  );
}
