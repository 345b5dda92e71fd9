import { type Layer, type Linear, matricesIn } from '../anatomy/anatomy.ts';
import type { Tap, Walk } from '../calibration/calibration.ts';
import { fail } from '../errors.ts';
import { eigenvalues } from '../kernels/eigenvalues.ts';
import { openGram } from '../kernels/gram.ts';
import { products } from '../kernels/linear-algebra/product.ts';
import { cholesky } from '../kernels/linear-algebra/spd.ts';
import { matrixOf } from '../passes/factorize/matrix.ts';
import { pauseOf } from '../passes/factorize/pause.ts';
import type { Edit } from '../passes/pass.ts';
import type { OutputSpectrum } from '../report/output-spectrum.ts';
import { calibrationTexts, openCalibration } from './calibrate.ts';
import { openPath } from './open.ts';
import { ownSentences } from './own-sentences.ts';
import { textNotes } from './text-notes.ts';
import type { SessionOptions, TextsRequest } from './types.ts';

// O output, I input, T tokens.

/** Numbers of an activation that are held: 256 MB in fp32. Texts behind them are left out. */
const mostHeld = 64e6;
/** Sentences that the model runs on. */
const mostTexts = 512;
/** Added to the diagonal of W^T W, as a share of its mean: it may have a channel that nothing reads. */
const DAMPING = 1e-10;

/**
 * For every rank, what the best matrix of that rank loses of the outputs on the text: with outputs Y = X W^T about their mean, the tail of
 * the singular values of Y. One run of the model up to the matrix, one eigenvalue problem of its smaller side.
 * throws  'unsupported' for what is no plain matrix of a layer
 * source  Chen et al., DRONE, NeurIPS 2021: the optimum that `factorize` with `whitened` reaches
 */
export async function outputSpectrum(
  path: string,
  id: string,
  request: TextsRequest = {},
  { signal, progress }: SessionOptions = {},
): Promise<OutputSpectrum> {
  const given = request.texts ?? (request.calibration === undefined ? undefined : await calibrationTexts(request.calibration));
  const texts = (given ?? (await ownSentences(path)).texts).slice(0, mostTexts);
  if (texts.length === 0) throw fail('usage', 'There is no text to run the model on.');
  const input = await openPath(path, signal);
  try {
    const { layer, linear } = placeOf(input.anatomy.layers, id, input.model.name);
    const calibration = await openCalibration(input, input, texts, undefined, signal);
    try {
      const walk = await calibration.walk();
      const steps = 2 * (layer.index + 1);
      const part = isBehindAttention(layer, linear) ? 'feed-forward' : 'attention';
      for (let done = 0; walk.at && !(walk.at.layer === layer.index && walk.at.part === part); done++) {
        progress?.({ fraction: (0.7 * done) / steps, what: `encoder.layer.${walk.at.layer}` });
        await walk.advance([]);
      }
      progress?.({ fraction: 0.7, what: id });
      const { rows, width, tokens } = await seen(walk, linear, calibration.tokens, signal);
      const gram = openGram(width);
      gram.start(width);
      gram.add(rows, tokens, 1, width);
      const energies = await eigenvalues(gram, pauseOf(signal));
      const errors = errorsOf(energies, Math.min(linear.out, linear.in));
      return { version: 1, id, texts: texts.length, tokens, errors, notes: await textNotes(input) };
    } finally {
      await calibration.close();
    }
  } finally {
    await input.close();
  }
}

function placeOf(layers: readonly Layer[], id: string, file: string): { readonly layer: Layer; readonly linear: Linear } {
  for (const layer of layers)
    for (const linear of matricesIn(layer)) if (linear.id === id && linear.form === 'dense') return { layer, linear };
  throw fail(
    'unsupported',
    '“{organ}” is no plain matrix of a layer: what it gives on text is not looked at.',
    { organ: id },
    { file },
  );
}

function isBehindAttention({ up, gate, down, extra = [] }: Layer, linear: Linear): boolean {
  const late = [up, gate, down].map(each => each?.within ?? each);
  return late.includes(linear) || extra.some(organ => organ.linear === linear && organ.part === 'feed-forward');
}

interface Rows {
  /** [tokens, width] */
  readonly rows: Float32Array;
  readonly width: number;
  readonly tokens: number;
}

/** Rows whose Gram matrix has the eigenvalues that are looked for: the outputs, or as many numbers as there are inputs where those are fewer. */
async function seen(walk: Walk<Edit>, linear: Linear, tokens: number, signal: AbortSignal | undefined): Promise<Rows> {
  const { id, bias, out, in: width } = linear;
  const given: Tap = `${id}:out`;
  if (out <= width && walk.shows(given)) return observed(walk, given, out, tokens, bias !== undefined);
  const inputs = await observed(walk, `${id}:in`, width, tokens, bias !== undefined);
  const lower_II = await rootOf(await matrixOf(linear, signal), out, width, signal);
  const left = { values: inputs.rows, count: inputs.tokens, vectorStride: width, elementStride: 1 };
  const right = { values: lower_II, count: width, vectorStride: 1, elementStride: width };
  const rows = await products(left, right, width, new Float32Array(inputs.tokens * width), pauseOf(signal));
  return { ...inputs, rows };
}

/** Lower L with W^T W = L L^T: rows x L are as long as rows W x. */
async function rootOf(
  weight_OI: Float32Array,
  out: number,
  width: number,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const columns = { values: weight_OI, count: width, vectorStride: 1, elementStride: width };
  const square_II = await products(columns, columns, out, new Float64Array(width * width), pauseOf(signal));
  let mean = 0;
  for (let i = 0; i < width; i++) mean += square_II[i * width + i]! / width;
  for (let damping = DAMPING; damping < 1; damping *= 100) {
    const lower_II = Float64Array.from(square_II);
    for (let i = 0; i < width; i++) lower_II[i * width + i]! += damping * (mean || 1);
    if (!cholesky(lower_II, width)) continue;
    for (let r = 0; r < width; r++) lower_II.fill(0, r * width + r + 1, (r + 1) * width);
    return lower_II;
  }
  throw new RangeError('a matrix of squares is not positive');
}

/** The rows of an activation, about their mean where `centred`. */
async function observed(walk: Walk<Edit>, tap: Tap, width: number, most: number, centred: boolean): Promise<Rows> {
  const tokens = Math.min(most, Math.floor(mostHeld / width));
  const rows = new Float32Array(tokens * width);
  let at = 0;
  await walk.observe('original', [tap], [], batch => {
    const values = batch.get(tap);
    rows.set(values.subarray(0, Math.max(0, rows.length - at)), at);
    at = Math.min(rows.length, at + values.length);
  });
  if (centred)
    for (let column = 0; column < width; column++) {
      let mean = 0;
      for (let row = column; row < rows.length; row += width) mean += rows[row]! / tokens;
      for (let row = column; row < rows.length; row += width) rows[row]! -= mean;
    }
  return { rows, width, tokens };
}

/** Rounding leaves small negative energies: zeros. */
function errorsOf(energies: Float64Array, full: number): number[] {
  const errors: number[] = [];
  let tail = 0;
  const tails = Float64Array.from(energies, () => 0);
  for (let rank = energies.length - 1; rank >= 0; rank--) {
    tails[rank] = tail;
    tail += Math.max(0, energies[rank]!);
  }
  for (let rank = 0; rank < full; rank++) errors.push(tail > 0 ? Math.sqrt(tails[rank]! / tail) : 0);
  return errors;
}
