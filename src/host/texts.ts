import { mkdir, open, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { sentence } from '../core/errors.ts';
import type { EvaluateRequest } from '../protocol/messages.ts';
import { say } from './l10n.ts';

/** What a model is measured on. */
export type Texts = Pick<EvaluateRequest, 'task' | 'texts' | 'title'> & {
  /** What it is called on the screen and in the record; ours is translated where it is shown. */
  readonly title: string;
};

/** A vocabulary with as many Chinese characters is meant for Chinese; the English BERT has 488. */
const chineseCharacters = 2000;
/** Of a tokenizer's file: enough to tell. */
const mostBytes = 4 * 2 ** 20;
/** Of a selection. */
const mostTexts = 2000;

/** The sentences that come with the extension: English, and Chinese too where the vocabulary has it. */
export async function ownSentences(extensionUri: vscode.Uri, model: string): Promise<Texts> {
  const read = async (language: string): Promise<string[]> => {
    const path = vscode.Uri.joinPath(extensionUri, 'media', 'sentences', `${language}.txt`).fsPath;
    return (await readFile(path, 'utf8')).split('\n').filter(line => line !== '');
  };
  const english = await read('en');
  if (!(await readsChinese(model))) return { texts: english, title: sentence('Headroom’s own sentences, English').text };
  const title = sentence('Headroom’s own sentences, English and Chinese').text;
  return { texts: [...english, ...(await read('zh'))], title };
}

/** Path of a file with the same sentences. What is put together from two languages lies in the extension's own storage. */
export async function ownSentencesFile(
  { extensionUri, globalStorageUri }: vscode.ExtensionContext,
  model: string,
): Promise<string> {
  const english = vscode.Uri.joinPath(extensionUri, 'media', 'sentences', 'en.txt').fsPath;
  if (!(await readsChinese(model))) return english;
  const { texts = [] } = await ownSentences(extensionUri, model);
  await mkdir(globalStorageUri.fsPath, { recursive: true });
  const both = join(globalStorageUri.fsPath, 'sentences.txt');
  await writeFile(both, `${texts.join('\n')}\n`);
  return both;
}

async function readsChinese(model: string): Promise<boolean> {
  for (const folder of [dirname(model), dirname(dirname(model))])
    for (const name of ['vocab.txt', 'tokenizer.json']) {
      const text = await beginning(join(folder, name));
      if (text !== undefined) return (text.match(/[\u4e00-\u9fff]/g)?.length ?? 0) >= chineseCharacters;
    }
  return false;
}

async function beginning(path: string): Promise<string | undefined> {
  if (!(await stat(path).catch(() => undefined))?.isFile()) return undefined;
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(mostBytes), 0, mostBytes, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Asks what to measure on; undefined when the person did not say. */
export async function chooseTexts(extensionUri: vscode.Uri, model: string): Promise<Texts | undefined> {
  const selection = selectedTexts();
  const own = await ownSentences(extensionUri, model);
  const items: (vscode.QuickPickItem & { readonly choose: () => Texts | undefined | Promise<Texts | undefined> })[] = [
    {
      label: say(sentence('The sentences that come with Headroom')),
      description: say(sentence('{n} sentences', { n: own.texts!.length })),
      choose: () => own,
    },
    ...(selection
      ? [
          {
            label: say(sentence('The selected text')),
            description: say(sentence('{name}, {n} lines', { name: selection.title, n: selection.texts!.length })),
            choose: () => selection,
          },
        ]
      : []),
    {
      label: say(sentence('A text file…')),
      description: say(sentence('a sentence on each line')),
      choose: () => fileTask('text', ['txt', 'md', 'csv', 'tsv']),
    },
    {
      label: say(sentence('Pairs with scores…')),
      description: say(sentence('CSV: sentence, sentence, score (STS-B)')),
      choose: () => fileTask('stsb', ['csv', 'tsv', 'txt']),
    },
    {
      label: say(sentence('Sentences with labels…')),
      description: say(sentence('TSV with columns sentence and label (SST-2)')),
      choose: () => fileTask('sst2', ['tsv', 'txt']),
    },
    {
      label: say(sentence('A task file…')),
      description: say(sentence('JSON that names columns and metrics')),
      choose: () => fileTask('json', ['json']),
    },
  ];
  const title = say(sentence('Measure on'));
  const picked = await vscode.window.showQuickPick(items, { title, matchOnDescription: true });
  return picked?.choose();
}

/** What is selected in a text editor that is visible; the page in front is none. */
function selectedTexts(): Texts | undefined {
  const editors = [vscode.window.activeTextEditor, ...vscode.window.visibleTextEditors];
  for (const editor of editors) {
    if (!editor || editor.selection.isEmpty) continue;
    const lines = editor.document.getText(editor.selection).split(/\r?\n/);
    const texts = lines.filter(line => line.trim() !== '').slice(0, mostTexts);
    if (texts.length > 0) return { texts, title: basename(editor.document.uri.path) };
  }
  return undefined;
}

async function fileTask(kind: 'text' | 'stsb' | 'sst2' | 'json', endings: string[]): Promise<Texts | undefined> {
  const all = say(sentence('All files'));
  const filters = { [endings.map(ending => ending.toUpperCase()).join(', ')]: endings, [all]: ['*'] };
  const path = (await vscode.window.showOpenDialog({ title: say(sentence('Measure on')), filters }))?.[0]?.fsPath;
  if (path === undefined) return undefined;
  if (kind === 'json') return { task: path, title: basename(path) };
  return { task: `${kind}:${path}`, title: kind === 'text' ? basename(path) : `${kind}: ${basename(path)}` };
}
