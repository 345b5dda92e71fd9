/** A sentence a person may see: an English template and what goes into its {places}. Whoever shows it translates the template first. */
export interface Sentence {
  readonly text: string;
  readonly args?: Readonly<Record<string, string | number>>;
}

/** Marks a template as something a person sees, so that the localisation test finds it. */
export const sentence = (text: string, args?: Record<string, string | number>): Sentence => (args ? { text, args } : { text });

/** Fills a sentence; numbers are grouped the way `locale` groups them, strings stand as they are. */
export function say({ text, args }: Sentence, locale = 'en'): string {
  return text.replace(/\{(\w+)\}/g, (place, key: string) => {
    const value = args?.[key];
    if (value === undefined) return place;
    if (typeof value === 'string') return value;
    return locale === 'en' && Number.isSafeInteger(value) && value >= 0 ? grouped(value) : numbersOf(locale).format(value);
  });
}

/** 1,234: what the formatter of English gives, whose first use costs 10 ms. */
function grouped(value: number): string {
  let digits = String(value);
  let text = '';
  for (; digits.length > 3; digits = digits.slice(0, -3)) text = `,${digits.slice(-3)}${text}`;
  return digits + text;
}

/** Making a formatter costs 0.1 ms; a model of twelve layers says a hundred numbers. */
const formatters = new Map<string, Intl.NumberFormat>();

function numbersOf(locale: string): Intl.NumberFormat {
  const known = formatters.get(locale) ?? new Intl.NumberFormat(locale);
  formatters.set(locale, known);
  return known;
}

/** Every way an operation can fail that a person can meet. Codes travel across processes and into `--json`; they are never translated. */
export type Code =
  | 'not-a-model' // neither ONNX nor safetensors
  | 'lfs-pointer' // a Git LFS pointer instead of the file
  | 'empty' // zero bytes
  | 'truncated' // the file ends before what it announces
  | 'malformed' // it announces something impossible
  | 'limit' // larger than a stated limit
  | 'missing-file' // a shard or external data is not there
  | 'outside-folder' // a reference leaves the model's folder
  | 'unsupported' // well-formed, but not something Headroom can do
  | 'not-found' // the input does not exist
  | 'output-exists'
  | 'output-is-input'
  | 'read-only'
  | 'disk-full'
  | 'source-changed' // the input changed while it was read
  | 'verify-failed' // the written file did not read back as intended
  | 'nothing-to-do' // every step was skipped: there is nothing to write
  | 'bad-recipe'
  | 'usage'
  | 'cancelled'
  | 'engine-stopped'
  | 'io';

export interface ErrorDetail {
  /** The file's name, without its folder. */
  readonly file?: string;
  /** Byte offset in that file. */
  readonly offset?: number;
  /** What the person can do. */
  readonly hint?: Sentence;
  readonly cause?: unknown;
}

/** The one error class. `message` is the English sentence with file and offset before it; `sentence` is what a view translates. */
export class HeadroomError extends Error {
  readonly code: Code;
  readonly sentence: Sentence;
  readonly file: string | undefined;
  readonly offset: number | undefined;
  readonly hint: Sentence | undefined;

  constructor(code: Code, what: Sentence, detail: ErrorDetail = {}) {
    const where = detail.file ? `${detail.file}: ` : '';
    const at = detail.offset === undefined ? '' : ` (byte ${detail.offset})`;
    super(where + say(what) + at, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'HeadroomError';
    this.code = code;
    this.sentence = what;
    this.file = detail.file;
    this.offset = detail.offset;
    this.hint = detail.hint;
  }
}

/** An error to throw: its code, an English template, what goes into the template, and where. */
export function fail(code: Code, text: string, args?: Record<string, string | number>, detail?: ErrorDetail): HeadroomError {
  return new HeadroomError(code, sentence(text, args), detail);
}

/** Throws 'cancelled' when the signal has fired. */
export function throwIfCancelled(signal?: AbortSignal): void {
  if (signal?.aborted) throw fail('cancelled', 'Cancelled. Nothing was written.');
}
