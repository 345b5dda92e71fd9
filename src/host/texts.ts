import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import * as vscode from 'vscode';
import { sentence } from '../core/errors.ts';
import type { EvaluateRequest } from '../protocol/messages.ts';
import { say } from './l10n.ts';
import type { Services } from './services.ts';

/** What a model is measured on. */
export type Texts = Pick<EvaluateRequest, 'task' | 'texts' | 'title'> & {
  /** What it is called on the screen and in the record; ours is translated where it is shown. */
  readonly title: string;
};

/** Of a selection. */
const mostTexts = 2000;

/** The sentences that come with the extension, in the languages that the model's vocabulary has. */
export async function ownSentences({ engine }: Services, model: string): Promise<Texts> {
  const { texts, languages } = await engine.api.ownSentences(model);
  const title = languages.includes('zh')
    ? sentence('Headroom’s own sentences, English and Chinese')
    : sentence('Headroom’s own sentences, English');
  return { texts, title: title.text };
}

/** Path of a file with the same sentences. What is put together from two languages lies in the extension's own storage. */
export async function ownSentencesFile({ engine, context }: Services, model: string): Promise<string> {
  const { texts, languages } = await engine.api.ownSentences(model);
  if (languages.length === 1) return vscode.Uri.joinPath(context.extensionUri, 'media', 'sentences', 'en.txt').fsPath;
  await mkdir(context.globalStorageUri.fsPath, { recursive: true });
  const both = join(context.globalStorageUri.fsPath, 'sentences.txt');
  await writeFile(both, `${texts.join('\n')}\n`);
  return both;
}

/** Asks what to measure on; undefined when the person did not say. */
export async function chooseTexts(services: Services, model: string): Promise<Texts | undefined> {
  const selection = selectedTexts();
  const own = await ownSentences(services, model);
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
