import { basename } from 'node:path';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { fail, sentence } from '../errors.ts';
import { floatOfHalf } from '../tensor/halves.ts';
import type { Feed, FloatFeed, Runner, Runtime, Values } from './runtime.ts';

type Library = typeof import('onnxruntime-node');

/**
 * onnxruntime-node, loaded when a model is first run: opening and compressing work where it is not installed.
 * throws  'unsupported' where it is not installed for this platform
 */
export async function onnxRuntime(): Promise<Runtime> {
  const library = await loadLibrary();
  const version = library.env.versions?.node ?? library.env.versions?.common ?? '';
  return {
    title: `onnxruntime-node ${version}`.trim(),
    load: (path, threads, name = basename(path)) => load(library, path, name, threads),
    loadBytes: (bytes, name, threads) => load(library, bytes, name, threads),
  };
}

async function loadLibrary(): Promise<Library> {
  // Since 1.29 the official builds for Linux and macOS send models' names and hashes to their maker unless told not to before they
  // are loaded (microsoft/onnxruntime pull 27379). Nothing about a person's models leaves the machine.
  process.env.ORT_DISABLE_TELEMETRY = '1';
  try {
    return await import('onnxruntime-node');
  } catch (cause) {
    throw fail(
      'unsupported',
      'Running a model needs onnxruntime-node, which could not be loaded: {cause}',
      { cause: cause instanceof Error ? cause.message.split('\n')[0]! : String(cause) },
      { cause, hint: sentence('Install onnxruntime-node for this platform, beside Headroom.') },
    );
  }
}

async function load(library: Library, model: string | Uint8Array, name: string, threads: number): Promise<Runner> {
  const started = performance.now();
  // One call for two overloads.
  const session = await library.InferenceSession.create(model as string, {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // Errors only: its warnings about unused initializers say nothing to a person.
    logSeverityLevel: 3,
  }).catch(cause => {
    throw fail('unsupported', 'onnxruntime cannot load this model: {cause}', because(cause), { file: name, cause });
  });
  const loadMs = performance.now() - started;
  const inputs = session.inputMetadata.map(it => ({
    name: it.name,
    type: it.isTensor ? it.type : 'no tensor',
    shape: it.isTensor ? it.shape.map(size => (typeof size === 'number' && size < 0 ? '' : size)) : [],
  }));
  const types = new Map(inputs.map(it => [it.name, it.type]));
  return {
    name,
    inputs,
    outputs: session.outputNames,
    loadMs,
    run: (feeds, wanted) => run(library, session, name, types, feeds, wanted),
    close: () => session.release(),
  };
}

async function run(
  library: Library,
  session: InferenceSession,
  name: string,
  types: ReadonlyMap<string, string>,
  feeds: ReadonlyMap<string, Feed | FloatFeed>,
  wanted: readonly string[],
): Promise<ReadonlyMap<string, Values>> {
  const tensors: Record<string, Tensor> = {};
  for (const [input, feed] of feeds) tensors[input] = asTensor(library, types.get(input) ?? 'int64', feed);
  const results = await session.run(tensors, wanted).catch(cause => {
    throw fail('unsupported', 'onnxruntime stopped while running this model: {cause}', because(cause), { file: name, cause });
  });
  return new Map(Object.entries(results).map(([output, tensor]) => [output, asValues(tensor as Tensor)]));
}

function asTensor({ Tensor }: Library, type: string, feed: Feed | FloatFeed): Tensor {
  if ('floats' in feed) return new Tensor('float32', feed.floats, feed.shape);
  const { ids_BT, shape } = feed;
  if (type === 'int32') return new Tensor('int32', ids_BT, shape);
  if (type === 'float32') return new Tensor('float32', Float32Array.from(ids_BT), shape);
  if (type === 'bool') return new Tensor('bool', Uint8Array.from(ids_BT), shape);
  return new Tensor('int64', BigInt64Array.from(ids_BT, BigInt), shape);
}

/** fp32 is passed on without a copy; fp16 comes as its bits, or as a Float16Array where JavaScript has one. */
function asValues({ type, data, dims }: Tensor): Values {
  if (data instanceof Float32Array) return { data, shape: dims };
  if (type === 'float16' && data instanceof Uint16Array) return { data: Float32Array.from(data, floatOfHalf), shape: dims };
  return { data: Float32Array.from(data as Iterable<number>, Number), shape: dims };
}

/** The library's message goes on about its own source after the first line. */
const because = (cause: unknown) => ({
  cause: (cause instanceof Error ? cause.message : String(cause)).split('\n')[0]!.slice(0, 400),
});
