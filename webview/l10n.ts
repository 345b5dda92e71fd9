import { say as fill, type Sentence } from '../src/core/errors.ts';

// Translation: the host puts the locale and the bundle { English template: translated template } into the page.

interface PageData {
  readonly page: string;
  readonly locale: string;
  readonly bundle: Readonly<Record<string, string>>;
}

function pageData(): PageData {
  const text = document.getElementById('headroom')?.textContent;
  return { page: '', locale: 'en', bundle: {}, ...(text ? (JSON.parse(text) as Partial<PageData>) : {}) };
}

const data = pageData();

/** BCP 47, as VS Code gives it: "en", "zh-cn". */
export const locale: string = validLocale(data.locale);

/** The translated template with its places filled; numbers are grouped by locale, strings stand as they are. `text` is a literal. */
export function t(text: string, args?: Readonly<Record<string, string | number>>): string {
  return fill({ text: translated(text), ...(args && { args: written(args) }) });
}

/** A sentence that came from the core, translated and filled. */
export function say(sentence: Sentence): string {
  return fill({ text: translated(sentence.text), ...(sentence.args && { args: written(sentence.args) }) });
}

const format = new Intl.NumberFormat(locale);

/** Numbers as strings: making a number format for each of thousands of cells is what would make a table slow. */
function written(args: Readonly<Record<string, string | number>>): Record<string, string> {
  const strings: Record<string, string> = {};
  for (const [key, value] of Object.entries(args)) strings[key] = typeof value === 'number' ? format.format(value) : value;
  return strings;
}

function translated(text: string): string {
  return Object.hasOwn(data.bundle, text) ? data.bundle[text]! : text;
}

function validLocale(wanted: string): string {
  try {
    return new Intl.Locale(wanted).toString();
  } catch {
    return 'en';
  }
}
