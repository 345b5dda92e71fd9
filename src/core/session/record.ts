import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { openFileSource } from '../bytes/file.ts';
import { openOutput } from '../bytes/output.ts';
import { fail, sentence } from '../errors.ts';
import { fingerprint } from './fingerprint.ts';
import { openPath } from './open.ts';
import { isRecord } from './record-shape.ts';
import type { KeptEvaluation, KeptRecord, Session, SessionOptions } from './types.ts';

declare const HEADROOM_VERSION: string;

/** A record holds some hundred sentences and rows; a larger file of that name is something else. */
const maxBytes = 16 * 2 ** 20;
/** The oldest go. */
const mostEvaluations = 20;

/**
 * What was kept beside the model as NAME.headroom.json, and whether the model is still that one.
 * throws  'malformed' for a file of that name that is no record
 */
export async function record(path: string, { signal }: SessionOptions = {}): ReturnType<Session['record']> {
  if (!(await mayHaveOne(path))) return null;
  const model = await identify(path, signal);
  const found = await readRecord(model);
  return found ? { record: found.record, changed: found.record.model.fingerprint !== model.fingerprint } : null;
}

/**
 * Writes NAME.headroom.json beside the model: what is given joins what is there already, as long as that tells of this very model.
 * throws  'malformed' rather than write over a file that is no record; 'read-only', 'disk-full', 'io'
 */
export async function keepRecord(path: string, kept: Parameters<Session['keepRecord']>[1]): Promise<KeptRecord> {
  const model = await identify(path);
  const found = await readRecord(model);
  const still = found?.record.model.fingerprint === model.fingerprint ? found.record : undefined;
  const { name, byteLength, fingerprint: now } = model;
  const evaluations = [...(await keptEvaluation(model, kept)), ...(still?.evaluations ?? [])];
  const joined: KeptRecord = {
    version: 1,
    headroom: typeof HEADROOM_VERSION === 'string' ? HEADROOM_VERSION : 'development',
    model: { name, byteLength, fingerprint: now },
    made: kept.made ?? still?.made ?? null,
    evaluations: evaluations
      .filter((each, at) => evaluations.findIndex(it => asks(it) === asks(each)) === at)
      .slice(0, mostEvaluations),
  };
  await write(model.folder, found?.name ?? (await freeName(model)), joined);
  return joined;
}

/** A model and where it lies. */
interface Identified {
  readonly folder: string;
  readonly name: string;
  readonly byteLength: number;
  readonly fingerprint: string;
}

async function identify(path: string, signal?: AbortSignal): Promise<Identified> {
  const { folder, model, close } = await openPath(path, signal);
  await close();
  const files = [...new Set([model.name, ...model.parts.map(({ file }) => file)])].map(file => join(folder, file));
  return { folder, name: model.name, byteLength: model.byteLength, fingerprint: await fingerprint(files, signal) };
}

/** NAME.headroom.json; model.onnx and model.safetensors of one folder share that name, so the second one keeps its ending. */
const namesFor = (model: string): readonly string[] =>
  [model.replace(/(\.safetensors\.index\.json|\.[^.]+)$/i, ''), model].map(name => `${name}.headroom.json`);

/** Most models have none: nothing is opened for them. */
async function mayHaveOne(path: string): Promise<boolean> {
  const isFolder = await stat(path).then(
    it => it.isDirectory(),
    () => false,
  );
  const there = namesFor(basename(path)).map(name =>
    stat(join(dirname(resolve(path)), name)).then(
      () => true,
      () => false,
    ),
  );
  return isFolder || (await Promise.all(there)).includes(true);
}

/** The record of this model, and the name of its file; undefined where there is none. */
async function readRecord({ folder, name }: Identified): Promise<{ record: KeptRecord; name: string } | undefined> {
  for (const candidate of namesFor(name)) {
    const found = await readOne(folder, candidate);
    if (found?.model.name === name) return { record: found, name: candidate };
  }
  return undefined;
}

async function readOne(folder: string, name: string): Promise<KeptRecord | undefined> {
  const path = join(folder, name);
  const byteLength = await stat(path).then(
    it => it.size,
    () => undefined,
  );
  if (byteLength === undefined) return undefined;
  const value = byteLength > maxBytes ? undefined : parsed(await readFile(path, 'utf8'));
  if (isRecord(value)) return value;
  throw fail(
    'malformed',
    'This is not a record that Headroom kept, or it is damaged. It is left as it is.',
    {},
    { file: name, hint: sentence('Rename it or delete it, and measure again.') },
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function freeName({ folder, name }: Identified): Promise<string> {
  for (const candidate of namesFor(name)) if (!(await readOne(folder, candidate))) return candidate;
  throw fail('output-exists', 'Both names for the record are taken by records of other models: {names}.', {
    names: namesFor(name).join(', '),
  });
}

async function keptEvaluation({ folder }: Identified, kept: Parameters<Session['keepRecord']>[1]): Promise<KeptEvaluation[]> {
  if (!kept.evaluation) return [];
  const texts = kept.texts ? sha256(kept.texts.join('\n')) : kept.task ? await hashOfTask(kept.task) : '';
  const against = kept.against === undefined ? null : from(folder, resolve(kept.against));
  return [{ evaluation: kept.evaluation, against, texts, at: new Date().toISOString() }];
}

/** Of the file that holds the texts, or that describes them. */
async function hashOfTask(task: string): Promise<string> {
  const source = await openFileSource(task.replace(/^(stsb|sst2|text):/, ''));
  try {
    return sha256(await source.read(0, source.byteLength));
  } finally {
    await source.close();
  }
}

const sha256 = (of: string | Uint8Array): string => createHash('sha256').update(of).digest('hex');

/** With forward slashes, so that a folder can go from one system to another. Another drive has no relative path. */
function from(folder: string, path: string): string {
  const way = relative(folder, path);
  return isAbsolute(way) ? way : way.replaceAll('\\', '/');
}

/** What was asked: the same question has one answer, the newest. */
const asks = ({ evaluation, against }: KeptEvaluation): string => JSON.stringify([evaluation.task, against]);

async function write(folder: string, name: string, kept: KeptRecord): Promise<void> {
  const output = await openOutput(folder, { overwrite: true });
  try {
    await (await output.create(name)).write(Buffer.from(`${JSON.stringify(kept, null, 2)}\n`));
    await output.commit();
  } catch (error) {
    await output.discard();
    throw error;
  }
}
