import { availableParallelism } from 'node:os';
import { basename, dirname } from 'node:path';
import { fileFolder } from '../bytes/folder.ts';
import { memoryOutput } from '../bytes/memory.ts';
import type { Folder } from '../bytes/source.ts';
import { calibrate } from '../calibration/calibrate.ts';
import type { Calibration } from '../calibration/calibration.ts';
import type { Aim, GraphBody } from '../calibration/source.ts';
import { fail, sentence } from '../errors.ts';
import { encodeTexts } from '../evaluation/encode-texts.ts';
import { inputsOf } from '../evaluation/inputs.ts';
import { onnxRuntime } from '../evaluation/onnxruntime.ts';
import { readText } from '../evaluation/read-text.ts';
import { type Input, tokenizersOf } from '../evaluation/subject.ts';
import { onnx } from '../format/onnx/onnx.ts';
import type { ValueInfo } from '../model/graph.ts';
import type { Model } from '../model/model.ts';
import type { Edit } from '../passes/pass.ts';
import { apply, type Body } from '../rewrite/apply.ts';
import type { DType } from '../tensor/dtype.ts';
import { asGraph } from './as-graph.ts';
import { newGraphModel } from './new-graph-model.ts';
import type { Opened } from './open.ts';
import type { Source } from './source.ts';

/** Texts that calibration reads: more help little and cost time in proportion. */
const mostTexts = 2048;

/** Lines of a text file that are not empty, each once, the first 2,048. throws 'malformed', 'not-found' */
export async function calibrationTexts(path: string): Promise<readonly string[]> {
  const lines = (await readText(path)).split(/\r?\n/).filter(line => line.trim() !== '');
  if (lines.length === 0) throw fail('malformed', 'This text has no lines.', {}, { file: basename(path) });
  return [...new Set(lines)].slice(0, mostTexts);
}

/**
 * The model of `body` on texts, as passes look at it. `beside` holds its tokenizer; `source` says what repairs aim at, when one does.
 * The caller closes it.
 */
export async function openCalibration(
  input: Opened,
  body: Body,
  texts: readonly (string | Input)[],
  beside: Folder = fileFolder(input.folder),
  signal?: AbortSignal,
  source?: () => Source,
): Promise<Calibration<Edit> & { close(): Promise<void> }> {
  const { config } = body.model;
  const { positions, vocabulary } = body.anatomy;
  const above = basename(input.folder) === 'onnx' ? fileFolder(dirname(input.folder)) : undefined;
  const folder = { ...beside, open: async (name: string) => (await beside.open(name)) ?? (await above?.open(name)) };
  const subject = { path: input.path, folder, config, positions, vocabulary, fileBytes: 0 };
  const [tokenizer] = await tokenizersOf([subject]);
  const inputTexts = texts.map(text => (typeof text === 'string' ? { text } : text));
  const { encodings, firstPosition } = encodeTexts(subject, tokenizer!, inputTexts);
  const edited = graphOf(input, body, signal);
  const { model } = await edited([]);
  let aimed: Promise<Aim | undefined> | undefined;
  const aim = () => {
    const from = source?.();
    aimed ??= from && from.body !== body ? aimOf(input, from, model, signal) : Promise.resolve(undefined);
    return aimed;
  };
  return calibrate<Edit>({
    name: input.model.name,
    runtime: await onnxRuntime(),
    threads: Math.min(4, availableParallelism()),
    edited,
    aim,
    encode,
    encodeGraph: async graph => encode(await newGraphModel(graph)),
    encodings,
    inputs: inputsOf({ name: input.model.name, inputs: model.graph.inputs.map(asRunnerInput) }),
    pad: tokenizer!.pad,
    firstPosition,
    ...(signal && { signal }),
  });
}

/** The source as a graph. undefined for one that takes other inputs. */
async function aimOf(
  input: Opened,
  { body, layers }: Source,
  model: GraphBody['model'],
  signal?: AbortSignal,
): Promise<Aim | undefined> {
  const graph = await graphOf(input, body, signal)([]);
  const given = new Set(model.graph.inputs.map(({ name }) => name));
  return graph.model.graph.inputs.every(({ name }) => given.has(name)) ? { body: graph, layers } : undefined;
}

/** The body with edits performed, as a graph. The one without edits is made once. */
export function graphOf(input: Opened, body: Body, signal?: AbortSignal): (edits: readonly Edit[]) => Promise<GraphBody> {
  let base: Promise<GraphBody> | undefined;
  const make = async (edits: readonly Edit[]): Promise<GraphBody> => {
    const changed = edits.length === 0 ? body : await apply(body, { edits, skipped: [] });
    if (hasGraph(changed)) return changed;
    const graph = await asGraph({ ...input, ...changed }, undefined, signal);
    if (!hasGraph(graph)) throw new Error('a graph was made without nodes');
    return graph;
  };
  return edits => {
    if (edits.length > 0) return make(edits);
    base ??= make(edits);
    return base;
  };
}

const hasGraph = (body: Body): body is GraphBody => body.model.graph !== undefined;

/** The whole file in memory. throws 'limit' for what does not fit in one file */
export async function encode(model: Model): Promise<Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const output = memoryOutput(files);
  await onnx.write(model, output, 'part.onnx');
  await output.commit();
  const bytes = files.get('part.onnx');
  if (!bytes || files.size > 1)
    throw fail(
      'limit',
      'This model is too large to be looked at piece by piece.',
      {},
      { file: model.name, hint: sentence('Choose a method that needs no text.') },
    );
  return bytes;
}

const typeNames: Partial<Record<DType, string>> = { int64: 'int64', int32: 'int32', fp32: 'float32', bool: 'bool' };

const asRunnerInput = ({ name, dtype, shape }: ValueInfo) => ({
  name,
  type: (dtype && typeNames[dtype]) ?? 'int64',
  shape: (shape ?? ['batch', 'sequence']).map(size => size ?? ''),
});
