import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type GptqArrays, openGptq } from '../../src/core/kernels/linear-algebra/gptq-kernels.ts';
import { plainGptq } from '../../src/core/kernels/linear-algebra/gptq-plain.ts';
import { type LinearAlgebraKernels, openLinearAlgebra } from '../../src/core/kernels/linear-algebra/memory.ts';
import { plainMemory } from '../../src/core/kernels/linear-algebra/plain.ts';
import { plain } from '../../src/core/kernels/plain.ts';
import { borrow, giveBack } from '../../src/core/kernels/scratch.ts';
import { type Bytes8, ERROR_BLOCK, type Kernels } from '../../src/core/kernels/signatures.ts';
import { simd } from '../../src/core/kernels/simd.ts';
import { emptyHistogram, momentsIn, openStatistics, type StatisticsMemory } from '../../src/core/kernels/statistics.ts';
import { momentsOf, plainStatistics } from '../../src/core/kernels/statistics-plain.ts';

/** Rows x columns: nothing, one, less than a vector, odd, a row longer than a tile, more rows than a tile holds. */
const shapes = [
  [0, 5],
  [1, 1],
  [3, 2],
  [7, 15],
  [5, 16],
  [4, 17],
  [33, 63],
  [2, 300_001],
  [70_001, 5],
  [301, 1001],
] as const;

/** Deterministic, and awkward: exact halves, zeros of both signs, subnormals, numbers near the edge of fp16. */
function numbers(count: number, seed: number): Float32Array {
  const special = [0, -0, 0.5, -0.5, 1.5, -2.5, 1e-40, -1e-40, 65504, 65519, 65520, -70000, 6e-8, -2.9e-8, 127.5, 3e38];
  const out = new Float32Array(count);
  let state = seed >>> 0;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    out[i] = state % 7 === 0 ? special[(state >>> 8) % special.length]! : (state / 2 ** 31 - 1) * 4;
  }
  return out;
}

const bits = (array: Float32Array | Float64Array | Int32Array | Uint16Array | Bytes8): Buffer =>
  Buffer.from(array.buffer, array.byteOffset, array.byteLength);

function integers(count: number, signed: boolean, seed: number): Bytes8 {
  const from = numbers(count, seed);
  const out = signed ? new Int8Array(count) : new Uint8Array(count);
  for (let i = 0; i < count; i++) out[i] = Math.round(from[i]! * 31);
  return out;
}

/** What each kernel leaves in `into`, for one shape. */
const cases: Record<keyof Kernels, (kernels: Kernels, rows: number, columns: number) => Parameters<typeof bits>[0][]> = {
  absMaxByColumn: (k, rows, columns) => {
    const into = numbers(columns, 3).map(Math.abs);
    k.absMaxByColumn(numbers(rows * columns, 1), into);
    return [into];
  },
  absMaxByRow: (k, rows, columns) => {
    const into = new Float32Array(rows);
    k.absMaxByRow(numbers(rows * columns, 1), into);
    return [into];
  },
  minMax: (k, rows, columns) => {
    const into = new Float32Array([Infinity, -Infinity]);
    k.minMax(numbers(rows * columns, 1), into);
    return [into];
  },
  quantizeByColumn: (k, rows, columns) =>
    [0, 128].map(zero => {
      const into = zero ? new Uint8Array(rows * columns) : new Int8Array(rows * columns);
      k.quantizeByColumn(numbers(rows * columns, 1), scales(columns), zero, into);
      return into;
    }),
  quantizeByRow: (k, rows, columns) =>
    [0, 77].map(zero => {
      const into = zero ? new Uint8Array(rows * columns) : new Int8Array(rows * columns);
      k.quantizeByRow(numbers(rows * columns, 1), scales(rows), zero, into);
      return into;
    }),
  dequantizeByColumn: (k, rows, columns) =>
    [true, false].map(signed => {
      const into = new Float32Array(rows * columns);
      k.dequantizeByColumn(integers(rows * columns, signed, 1), scales(columns), points(columns), into);
      return into;
    }),
  dequantizeByRow: (k, rows, columns) =>
    [true, false].map(signed => {
      const into = new Float32Array(rows * columns);
      k.dequantizeByRow(integers(rows * columns, signed, 1), scales(rows), points(rows), into);
      return into;
    }),
  scaleByColumn: (k, rows, columns) => {
    const values = numbers(rows * columns, 1);
    k.scaleByColumn(values, scales(columns));
    return [values];
  },
  scaleByRow: (k, rows, columns) => {
    const values = numbers(rows * columns, 1);
    k.scaleByRow(values, scales(rows));
    return [values];
  },
  sumByColumn: (k, rows, columns) =>
    [true, false].map(signed => {
      const into = new Int32Array(columns).fill(5);
      k.sumByColumn(integers(rows * columns, signed, 1), signed ? 0 : 128, into);
      return into;
    }),
  sumByRow: (k, rows, columns) =>
    [true, false].map(signed => {
      const into = new Int32Array(rows).fill(5);
      k.sumByRow(integers(rows * columns, signed, 1), signed ? 0 : 128, into);
      return into;
    }),
  toHalf: (k, rows, columns) => {
    const [into, answers] = [new Uint16Array(rows * columns), new Uint8Array(2)];
    const values = numbers(rows * columns, 1);
    answers[0] = k.toHalf(values, into) ? 1 : 0;
    answers[1] = k.toHalf(
      values.map(value => (Math.abs(value) > 65504 ? Infinity : value)),
      new Uint16Array(into.length),
    )
      ? 1
      : 0;
    return [into, answers];
  },
  fromHalf: (k, rows, columns) => {
    const into = new Float32Array(rows * columns);
    k.fromHalf(
      new Uint16Array(rows * columns).map((_, i) => i * 7919),
      into,
    );
    return [into];
  },
  fromBfloat: (k, rows, columns) => {
    const into = new Float32Array(rows * columns);
    k.fromBfloat(
      new Uint16Array(rows * columns).map((_, i) => i * 7919),
      into,
    );
    return [into];
  },
  fromNibbles: (k, rows, columns) =>
    [true, false].map(signed => {
      const into = new Float32Array(rows * columns);
      k.fromNibbles(
        new Uint8Array(Math.ceil((rows * columns) / 2)).map((_, i) => i * 7919),
        signed,
        into,
      );
      return into;
    }),
  errorSums: (k, rows, columns) => {
    const into = new Float64Array(5);
    k.errorSums(numbers(rows * columns, 1), numbers(rows * columns, 2), into);
    return [into];
  },
};

const scales = (count: number): Float32Array => numbers(count, 9).map(x => Math.abs(x) / 100 || 0.03);
const points = (count: number): Float32Array => numbers(count, 11).map(x => Math.round(x * 20));

type Numbers = Float32Array | Float64Array | Int32Array | Uint16Array | Bytes8;

/** The kernels, with all they work on lying in their own memory. */
function inArena(kernels: Kernels): Kernels {
  const moved = (work: (...args: never[]) => unknown) => {
    return (...args: readonly unknown[]) => {
      const arrays = args.filter((it): it is Numbers => ArrayBuffer.isView(it));
      const places = arrays.map(it => borrow(it.byteLength));
      const there = arrays.map((it, i) => {
        const place = new (it.constructor as typeof Uint8Array)(places[i]!.buffer, places[i]!.byteOffset, it.length);
        place.set(it as Uint8Array);
        return place;
      });
      const answer = work(...(args.map(it => there[arrays.indexOf(it as Numbers)] ?? it) as never[]));
      arrays.forEach((it, i) => {
        it.set(there[i]!);
      });
      places.forEach(giveBack);
      return answer;
    };
  };
  return Object.fromEntries(Object.entries(kernels).map(([name, work]) => [name, moved(work)])) as unknown as Kernels;
}

for (const name of Object.keys(cases) as (keyof Kernels)[])
  test(`${name}: SIMD equals plain bit for bit in ${shapes.length} shapes, copied and in place`, () => {
    assert.ok(simd, 'the kernels are not built: run npm run build');
    for (const [rows, columns] of shapes) {
      const expected = cases[name](plain, rows, columns);
      for (const [where, kernels] of [
        ['copied', simd],
        ['in place', inArena(simd)],
      ] as const) {
        const found = cases[name](kernels, rows, columns);
        expected.forEach((one, i) => {
          assert.ok(bits(found[i]!).equals(bits(one)), `${rows} x ${columns}, output ${i}, ${where}`);
        });
      }
    }
  });

test('halves at the end of the room for their floats are widened in place', () => {
  const count = 1003;
  const halves = new Uint16Array(count).map((_, i) => i * 61);
  for (const name of ['fromHalf', 'fromBfloat'] as const) {
    const expected = new Float32Array(count);
    plain[name](halves, expected);
    const room = borrow(4 * count);
    const [floats, tail] = [
      new Float32Array(room.buffer, room.byteOffset, count),
      new Uint16Array(room.buffer, room.byteOffset + 2 * count, count),
    ];
    tail.set(halves);
    simd![name](tail, floats);
    assert.ok(bits(floats).equals(bits(expected)), name);
    giveBack(room);
  }
});

test('NaN and infinity are seen by the ranges and quantize to 0 and to the ends', () => {
  assert.ok(simd);
  for (const k of [plain, simd]) {
    const range = new Float32Array([0, 0]);
    k.minMax(new Float32Array([1, NaN, 2, 3, 4, 5]), range);
    assert.ok(Number.isNaN(range[0]) && Number.isNaN(range[1]));
    const most = new Float32Array(1);
    k.absMaxByRow(new Float32Array([1, 2, 3, 4, NaN]), most);
    assert.ok(Number.isNaN(most[0]));
    const into = new Int8Array(20);
    k.quantizeByRow(new Float32Array(20).fill(NaN).fill(Infinity, 1).fill(-Infinity, 18), new Float32Array([1]), 0, into);
    assert.deepEqual([into[0], into[1], into[17], into[18]], [0, 127, 127, -128]);
  }
});

test('fp16 makes a round trip for every one of its 65,536 values, and rounds to nearest even', () => {
  const all = new Uint16Array(65536).map((_, i) => i);
  const floats = new Float32Array(65536);
  const back = new Uint16Array(65536);
  plain.fromHalf(all, floats);
  plain.toHalf(floats, back);
  // A NaN keeps its sign, not its payload.
  const canonical = all.map(h => ((h & 0x7fff) > 0x7c00 ? (h & 0x8000) | 0x7e00 : h));
  assert.deepEqual(back, canonical);
  plain.toHalf(new Float32Array([1 + 2 ** -11, 1 + 3 * 2 ** -11, 1e9, 2 ** -25, 2 ** -24 * 1.5]), back);
  assert.deepEqual([...back.subarray(0, 5)], [0x3c00, 0x3c02, 0x7bff, 0, 2]);
});

test('errors fed in runs of whole blocks sum to the same bits as in one run', () => {
  assert.ok(simd);
  const before = numbers(3 * ERROR_BLOCK + 17, 1);
  const after = numbers(3 * ERROR_BLOCK + 17, 2);
  const whole = new Float64Array(5);
  const runs = new Float64Array(5);
  simd.errorSums(before, after, whole);
  simd.errorSums(before.subarray(0, 2 * ERROR_BLOCK), after.subarray(0, 2 * ERROR_BLOCK), runs);
  simd.errorSums(before.subarray(2 * ERROR_BLOCK), after.subarray(2 * ERROR_BLOCK), runs);
  assert.deepEqual(runs, whole);
});

/** The statistics of a run at place 8, of so many values; the rest of the memory is other numbers. */
function statisticsOf(memory: StatisticsMemory, values: Float32Array, from: number, to: number) {
  memory.floats.fill(7);
  memory.floats.set(values, 8);
  const centre = Math.fround((from + to) / 2);
  const quick = memory.quickMoments(8, values.length, centre);
  const moments = memory.moments(8, values.length, centre);
  const histogram = emptyHistogram(from, to);
  memory.addToHistogram(8, values.length, moments.finite, histogram);
  return { moments, quick, counts: [...histogram.counts] };
}

for (const special of [false, true])
  test(`statistics of ${special ? 'some' : 'no'} values that are not finite: SIMD equals plain bit for bit`, () => {
    assert.ok(simd);
    for (const count of [1, 7, 8, 9, 1000, 70_001]) {
      const values = numbers(count, count).map(value => (Math.abs(value) > 100 ? value / 1e38 : value));
      if (special) for (let i = 3; i < count; i += 5) values[i] = [NaN, Infinity, -Infinity][i % 3]!;
      const finite = values.filter(Number.isFinite);
      const [from, to] = [Math.min(...finite.subarray(0, 9), -70), Math.max(...finite.subarray(0, 9), 70)];
      const room = 70_016;
      const expected = statisticsOf(plainStatistics(room), values, from, to);
      const found = statisticsOf(openStatistics(room), values, from, to);
      // The centre may stand for what is not finite, and for what the run was filled up with.
      assert.deepEqual(found.counts, expected.counts, `${count}`);
      for (const key of ['finite', 'zeros', 'sum', 'squares'] as const)
        assert.equal(found.moments[key], expected.moments[key], key);
      assert.equal(found.moments.min, Math.min(expected.moments.min, finite.length < count || count % 8 ? 0 : Infinity));
      if (!special) assert.deepEqual({ ...found.quick, min: 0, max: 0 }, { ...expected.quick, min: 0, max: 0 });
    }
  });

test('quick moments are within 1e-6 of the deviation of exact ones, and exact ones take over for sizes that f32 squares cannot hold', () => {
  const memory = openStatistics(65536);
  for (const [scale, shift] of [
    [1, 0],
    [0.03, 1],
    [1e25, 0],
    [1e-25, 0],
    [0, 5],
  ] as const) {
    for (let i = 0; i < 65536; i++) memory.floats[i] = Math.sin(i * i) * scale + shift;
    const exact = momentsOf(memory.floats, shift);
    const found = momentsIn(memory, 0, 65536, Math.fround(shift));
    assert.ok(Math.abs(found.sum - exact.sum) <= 1e-6 * Math.sqrt(exact.squares * 65536), `sum of ${scale}`);
    assert.ok(Math.abs(found.squares - exact.squares) <= 1e-6 * exact.squares, `squares of ${scale}`);
  }
});

/** The same numbers in both memories, then the same work: what both hold. */
function bothWays(elements: number, work: (kernels: LinearAlgebraKernels) => void): readonly [Float64Array, Float64Array] {
  const both = [plainMemory(elements), openLinearAlgebra(elements)] as const;
  const from = numbers(elements, 5);
  for (const { memory, kernels } of both) {
    for (let i = 0; i < elements; i++) memory[i] = (from[i]! % 4) + 1.5;
    work(kernels);
  }
  return [both[0].memory, both[1].memory];
}

const dense: Record<Exclude<keyof LinearAlgebraKernels, 'reflectRows'>, (kernels: LinearAlgebraKernels) => void> = {
  subtractProducts: k => {
    const left = [0, 44, 3] as const;
    const right = [200, 40, 5] as const;
    k.subtractProducts({ left, right, depth: 10, into: [1000, 24, 96, 4] });
    k.subtractProducts({ left, right, depth: 9, lower: true, into: [1400, 4, 16, 48] });
  },
  solveStrips: k => k.solveStrips(0, 40, 3, 9, 200, 12),
  solveStripsBack: k => k.solveStripsBack(0, 40, 3, 9, 200, 12),
  rotateRows: k => k.rotateRows(0, 20, 18, 1, 6, 400),
};

for (const name of Object.keys(dense) as (keyof typeof dense)[])
  test(`${name}: SIMD equals plain bit for bit`, () => {
    const [plainly, fast] = bothWays(2000, dense[name]);
    assert.deepEqual(fast, plainly);
  });

test('reflectRows: SIMD equals plain within 1e-12', () => {
  const [plainly, fast] = bothWays(500, k => k.reflectRows(0, 20, 7, 300, 18, 40));
  fast.forEach((value, i) => {
    assert.ok(Math.abs(value - plainly[i]!) < 1e-12);
  });
});

test('gptq: SIMD equals plain bit for bit, blocks of 128 columns, of 40 and of 4', () => {
  const [out, wide] = [7, 301];
  const shape = { rows: 8, stride: 304 };
  const fast = openGptq(out, wide);
  const arrays = Object.fromEntries(
    Object.entries(fast).flatMap(([key, value]) => (ArrayBuffer.isView(value) ? [[key, value]] : [])),
  ) as unknown as GptqArrays;
  const copies = Object.fromEntries(
    Object.entries(arrays).map(([key, value]) => [key, (value as Float32Array).slice()]),
  ) as unknown as GptqArrays;
  const slow = plainGptq(shape, copies);
  for (const memory of [fast, slow]) {
    memory.weights.set(numbers(8 * 304, 1).map(value => value % 4));
    memory.upper.set(numbers(128 * 128, 2).map(value => (Math.abs(value) % 1) + 0.5));
    memory.behind.set(numbers(128 * 304, 3).map(value => value % 1));
    memory.scales.set([0.3, 0.2, 0, 0.1, 1e-3, 5, 0.25, 0.3]);
    memory.zeros.set([8, 0, 7, 3, 8, 15, 1, 2]);
    memory.roundColumns(0, 128, 0, 128, 0, 15);
    memory.passOn(0, 128);
    memory.roundColumns(128, 40, 0, 20, 0, 15);
    memory.roundColumns(128, 40, 20, 40, -8, 7);
    memory.passOn(128, 40);
    memory.roundColumns(296, 4, 0, 4, 0, 15);
    memory.passOn(296, 4);
  }
  for (const key of ['weights', 'levels', 'errors'] as const) assert.deepEqual(fast[key], slow[key], key);
});
