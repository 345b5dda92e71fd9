import { openInstance, STATIC } from './instance.ts';
import { plainStatistics } from './statistics-plain.ts';
import { BINS, type StatisticsMemory, scaleOf } from './statistics-signatures.ts';

export type { Histogram, RunMoments, StatisticsMemory } from './statistics-signatures.ts';
export { BINS, emptyHistogram, momentsIn } from './statistics-signatures.ts';

/** Four tables of counts, see assembly/statistics.ts, and before them six results. */
const TABLE = 4160;
const RESULTS = STATIC;
const TABLES = RESULTS + 64;
const VALUES = TABLES + 4 * TABLE;

/** Room for so many elements: SIMD WebAssembly, or plain TypeScript where there is none: the same bits. */
export function openStatistics(elements: number): StatisticsMemory {
  const room = eights(elements);
  const instance = openInstance(VALUES - STATIC + 4 * room);
  if (!instance) return plainStatistics(room);
  const { call, buffer } = instance;
  const floats = new Float32Array(buffer, VALUES, room);
  const results = new Float64Array(buffer, RESULTS, 6);
  const tables = new Uint32Array(buffer, TABLES, TABLE);
  const fillUp = (place: number, count: number, by: number) => floats.fill(by, place + count, place + eights(count));
  return {
    floats,
    moments: (place, count, centre) => {
      fillUp(place, count, Number.NaN);
      call.moments!(VALUES + 4 * place, eights(count), centre, RESULTS);
      const [finite, zeros, min, max, sum, squares] = results as unknown as Six;
      return { finite, zeros, min, max, sum, squares };
    },
    quickMoments: (place, count, centre) => {
      fillUp(place, count, centre);
      call.quickMoments!(VALUES + 4 * place, eights(count), centre, RESULTS);
      const [zeros, min, max, sum, squares] = results as unknown as Six;
      return { finite: count, zeros: centre === 0 ? zeros - (eights(count) - count) : zeros, min, max, sum, squares };
    },
    addToHistogram: (place, count, finite, into) => {
      const masked = finite < count;
      fillUp(place, count, masked ? Number.NaN : into.to);
      tables.fill(0);
      const scale = scaleOf(into);
      call.addToHistogram!(VALUES + 4 * place, eights(count), masked ? 1 : 0, into.to, into.from, scale, TABLES);
      const { counts } = into;
      for (let bin = 0; bin <= BINS; bin++)
        counts[Math.min(bin, BINS - 1)]! +=
          tables[bin]! + tables[TABLE / 4 + bin]! + tables[TABLE / 2 + bin]! + tables[(3 * TABLE) / 4 + bin]!;
      // What is not finite, and what the run was filled up with, counted as the largest value.
      counts[scale === 0 ? 0 : BINS - 1]! -= eights(count) - finite;
    },
  };
}

type Six = [number, number, number, number, number, number];

const eights = (count: number): number => Math.ceil(count / 8) * 8;
