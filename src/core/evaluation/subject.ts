import type { Folder } from '../bytes/source.ts';
import { encodeTexts } from './encode-texts.ts';
import { feeds, type Inputs, inputsOf } from './inputs.ts';
import { type Chosen, chooseOutputs } from './outputs.ts';
import type { StoredShapes } from './products/stored-shapes.ts';
import type { Runner, Runtime } from './runtime.ts';
import type { Task } from './task.ts';
import { findTokenizer } from './tokenize/find.ts';
import { seeded } from './tokenize/seeded.ts';
import type { Encoding, Tokenizer } from './tokenize/tokenizer.ts';

/** A model that is to be evaluated, as its opener knows it. */
export interface Subject {
  readonly path: string;
  /** What the model is called in the report and in errors; default: the file's name. */
  readonly name?: string;
  /** Where its tokenizer is looked for. */
  readonly folder: Folder;
  readonly config: Readonly<Record<string, unknown>>;
  /** The longest input, and ids it knows; 0 where that is not known. */
  readonly positions: number;
  readonly vocabulary: number;
  readonly fileBytes: number;
  /** Of its graph, for counting what a run computes. */
  readonly shapes?: StoredShapes;
}

/** A subject that is loaded, with its texts as ids. */
export interface Prepared {
  readonly subject: Subject;
  readonly runner: Runner;
  readonly inputs: Inputs;
  readonly chosen: Chosen;
  readonly tokenizer: Tokenizer;
  readonly encodings: readonly Encoding[];
  readonly cut: number;
  readonly maxLength: number;
  readonly firstPosition: number;
}

/** A text, or two that the model reads together, or one whose words are known. */
export interface Input {
  readonly text: string;
  readonly pair?: string;
  readonly words?: readonly string[];
}

/** The tokenizers beside the models; a model without one takes the other's, and two without draw the same ids. */
export async function tokenizersOf(subjects: readonly Subject[]): Promise<Tokenizer[]> {
  const found = await Promise.all(subjects.map(subject => findTokenizer(subject.folder)));
  const any = found.find(tokenizer => tokenizer !== undefined);
  const smallest = Math.min(...subjects.map(subject => subject.vocabulary).filter(size => size > 0), 30522);
  return found.map(tokenizer => tokenizer ?? any ?? seeded(smallest));
}

/** Loads a model, looks at its inputs and outputs, and encodes the texts. The caller closes the runner. */
export async function prepare(
  subject: Subject,
  tokenizer: Tokenizer,
  texts: readonly Input[],
  task: Task,
  runtime: Runtime,
  threads: number,
): Promise<Prepared> {
  const runner = await runtime.load(subject.path, threads, subject.name);
  try {
    const inputs = inputsOf(runner);
    const { firstPosition, ...encoded } = encodeTexts(subject, tokenizer, texts, [task.maxLength, inputs.fixedLength]);
    const trial = feeds(inputs, [shortest(encoded.encodings)], tokenizer.pad, firstPosition);
    const results = await runner.run(trial.feeds, runner.outputs);
    const chosen = chooseOutputs(results, task.kind === 'classification', runner.name);
    return { subject, runner, inputs, chosen, tokenizer, firstPosition, ...encoded };
  } catch (error) {
    await runner.close();
    throw error;
  }
}

const shortest = (encodings: readonly Encoding[]): Encoding => encodings.reduce((a, b) => (b.ids.length < a.ids.length ? b : a));
