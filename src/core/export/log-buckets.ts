/** Positions of a row of DeBERTa's table for every distance from -reach to reach (query minus key); farther ones are as those. */
export interface Buckets {
  readonly reach: number;
  readonly rows: readonly number[];
}

/** No sequence is longer. */
const longest = 2 ** 17;

/**
 * The row of the table [2 * span, hidden] that two tokens meet at: span + their distance, where small distances are themselves and large ones
 * their logarithm, so that `furthest` tokens fit into `buckets` rows a side. Without buckets (0 or less) each distance is itself.
 * source: He et al., DeBERTa V3, ICLR 2023; make_log_bucket_position of transformers 5.23, in its fp32.
 */
export function logBuckets(buckets: number, furthest: number): Buckets {
  const span = buckets > 0 ? buckets : furthest;
  const row = (distance: number): number => {
    const bucket = buckets > 0 ? bucketOf(distance, buckets, furthest) : distance;
    return Math.min(Math.max(bucket + span, 0), 2 * span - 1);
  };
  let reach = 1;
  while (reach < longest && (row(-reach) > 0 || row(reach) < 2 * span - 1)) reach++;
  while (reach > 1 && row(-reach) === row(1 - reach) && row(reach) === row(reach - 1)) reach--;
  return { reach, rows: Array.from({ length: 2 * reach + 1 }, (_, at) => row(at - reach)) };
}

function bucketOf(distance: number, buckets: number, furthest: number): number {
  const middle = buckets >> 1;
  const apart = Math.abs(distance);
  if (apart <= middle) return distance;
  const { fround, log } = Math;
  const part = fround(fround(log(fround(apart / middle))) / fround(log(fround((furthest - 1) / middle))));
  return Math.sign(distance) * (Math.ceil(fround(part * (middle - 1))) + middle);
}
