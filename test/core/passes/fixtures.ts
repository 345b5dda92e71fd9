import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { detect } from '../../../src/core/anatomy/detect.ts';
import { CountingSource } from '../../../src/core/bytes/counting.ts';
import { openFileSource } from '../../../src/core/bytes/file.ts';
import { fileFolder } from '../../../src/core/bytes/folder.ts';
import { type Files, memoryFolder, memoryOutput, memorySource } from '../../../src/core/bytes/memory.ts';
import { openModel } from '../../../src/core/format/open.ts';
import { formatOf } from '../../../src/core/format/registry.ts';
import { closeModel } from '../../../src/core/format/stored.ts';
import type { Model } from '../../../src/core/model/model.ts';
import type { CastEdit, PassContext, Plan, QuantizeBlocksEdit, QuantizeEdit, StoreEdit } from '../../../src/core/passes/pass.ts';
import { parseRecipe } from '../../../src/core/passes/recipe.ts';
import { passes } from '../../../src/core/passes/registry.ts';
import { apply, type Body } from '../../../src/core/rewrite/apply.ts';

/** The models that are not in the repository lie beside it. */
export const shared = resolve(import.meta.dirname, '../../../../shared');
export const generated = join(shared, 'generated');
export const noGenerated = existsSync(generated) ? false : 'skipped: no generated models';
export const noThirdParty = existsSync(join(shared, 'third-party')) ? false : 'skipped: no third-party models';

/** Generated models in floating point, as paths under the folder; fused ones come with their operators later. */
export const plainModels: readonly string[] = noGenerated
  ? []
  : readdirSync(generated).flatMap(folder =>
      existsSync(join(generated, folder, 'expected.json'))
        ? readdirSync(join(generated, folder))
            .filter(name => /\.(onnx|safetensors)$/.test(name) && !/^model-\d+-of|ort-fused|int8|qdq/.test(name))
            .map(name => join(folder, name))
        : [],
    );

export interface Source {
  readonly counting: CountingSource;
  readonly body: Body;
  close(): Promise<void>;
}

export async function openSource(path: string): Promise<Source> {
  const counting = new CountingSource(await openFileSource(path));
  const model = await openModel(counting, fileFolder(dirname(path)));
  return { counting, body: { model, anatomy: await detect(model) }, close: () => closeModel(model) };
}

/** The plan of one step of the quantize pass. */
export async function planOf(
  body: Body,
  options: Readonly<Record<string, unknown>>,
  id = 'quantize',
  dryRun = false,
  more: Partial<PassContext> = {},
): Promise<Plan> {
  const pass = passes.find(it => it.id === id)!;
  const [step] = parseRecipe({ version: 1, steps: [{ pass: id, options }] }).steps;
  return pass.plan(body.anatomy, step!.options as never, { model: body.model, format: body.model.format, dryRun, ...more });
}

/** The edits that put other numbers in the place of a weight's. */
export const weightEdits = ({ edits }: Plan): (QuantizeEdit | QuantizeBlocksEdit | StoreEdit | CastEdit)[] =>
  edits.filter(
    edit => edit.kind === 'quantize' || edit.kind === 'quantize-blocks' || edit.kind === 'store' || edit.kind === 'cast',
  );

export interface Written {
  readonly plan: Plan;
  readonly body: Body;
  readonly files: Files;
  /** Bytes of the model file. */
  readonly bytes: Uint8Array;
}

/** Quantizes a file into memory. */
export async function quantized(path: string, options: Readonly<Record<string, unknown>> = {}): Promise<Written> {
  const source = await openSource(path);
  try {
    const plan = await planOf(source.body, options);
    const body = plan.edits.length === 0 ? source.body : await apply(source.body, plan);
    const files = await writeToMemory(body.model);
    return { plan, body, files, bytes: files.get(nameOf(body.model))! };
  } finally {
    await source.close();
  }
}

export const nameOf = (model: Model): string => `model.${model.format}`;

export async function writeToMemory(model: Model): Promise<Files> {
  const files: Files = new Map();
  const output = memoryOutput(files);
  await formatOf(model.format).write(model, output, nameOf(model));
  await output.commit();
  return files;
}

export const openMemory = (files: Files, name: string): Promise<Model> =>
  openModel(memorySource(name, files.get(name)!), memoryFolder(files));

/** What the fixture's expected.json says of its inputs and first output, from PyTorch. */
export interface Expected {
  readonly inputs: Readonly<Record<string, readonly (readonly number[])[]>>;
  readonly output: string;
  readonly outputs: unknown;
}
export const expectedOf = (folder: string): Expected =>
  JSON.parse(readFileSync(join(generated, folder, 'expected.json'), 'utf8'));
