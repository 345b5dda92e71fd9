// biome-ignore-all lint/performance/useDomNodeTextContent: what a person reads is the rendered text
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import type { CompressReport, CompressView, DryRun, Failure, Recipe } from '../../src/protocol/messages.ts';
import { compressView, dryRun, listsAndFiles, recipe, tenPasses } from './compress-views.ts';
import { accessibilityFindings, launch, type OpenedPage, openPage, type PageOptions, skipReason, themes } from './page.ts';

const failure = (over: Partial<Failure>): Failure => ({
  code: 'disk-full',
  message: 'The disk is full.',
  sentence: {
    text: 'The disk is full: {need} needed, {free} free. Nothing was written.',
    args: { need: '23.0 MB', free: '4.0 MB' },
  },
  ...over,
});
/** A promise and what settles it: a run that ends when the test says so. */
function pending<Value>() {
  let resolve!: (value: Value) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<Value>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
const twoSteps: Partial<CompressView> = {
  passes: tenPasses,
  recipe: {
    version: 1,
    steps: [
      { pass: 'prune-heads', options: {} },
      { pass: 'quantize', options: { scheme: 'int4', block_size: 64 } },
    ],
  },
};

describe('the Compress form', { skip: skipReason ?? false }, () => {
  let browser: Browser;
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());

  interface Given {
    readonly view?: Partial<CompressView>;
    readonly api?: PageOptions['api'];
    readonly options?: Partial<PageOptions>;
  }
  async function shown({ view, api, options }: Given, run: (opened: OpenedPage) => Promise<void>): Promise<void> {
    const opened = await openPage(browser, {
      page: 'compress',
      api: {
        view: () => compressView(view),
        dryRun: (asked: Recipe) => dryRun(asked),
        copyCommand: () => {},
        proposeOut: () => '/models/minilm/model.int8.safetensors',
        saveRecipe: () => {},
        openResult: () => {},
        showLog: () => {},
        cancel: () => {},
        ...api,
      },
      ...options,
    });
    try {
      await opened.page.waitForSelector('.end');
      await run(opened);
      assert.deepEqual(opened.errors, []);
    } finally {
      await opened.close();
    }
  }
  const read = async (opened: OpenedPage, selector: string): Promise<string> =>
    (await opened.page.locator(selector).first().innerText()).replace(/[\s\u00a0]+/g, ' ');
  const sized = (opened: OpenedPage, size: string) =>
    opened.page.waitForFunction(wanted => document.querySelector('.sum .big')?.textContent?.startsWith(wanted), size);
  const lastDryRun = ({ calls }: OpenedPage): Recipe => calls.findLast(call => call.method === 'dryRun')!.args[0] as Recipe;

  test('the form comes from the pass: labels, choices with their hints, numbers only where they apply, globs, defaults', () =>
    shown({}, async opened => {
      const { page } = opened;
      assert.deepEqual(await page.locator('.f .lab').allInnerTexts(), [
        'Scheme',
        'Embedding bits',
        'Symmetric',
        'Include',
        'Exclude',
        'Calibration text',
      ]);
      assert.match(
        await read(opened, 'vscode-radio-group'),
        /int8 batch-invariant: rows and columns scaled apart int8-dynamic what onnxruntime writes/,
      );
      assert.equal(await page.locator('.set').count(), 0);
      await page.click('vscode-radio >> text=int4');
      await page.waitForSelector('text=Block size');
      assert.deepEqual(await page.locator('.set').allInnerTexts(), ['Scheme']);
      assert.match(await read(opened, '.f .d'), /Default: int8\. Reset/);
      await page.click('.f .link');
      await page.waitForFunction(() => document.querySelectorAll('.f .set').length === 0);
      assert.equal(await page.locator('text=Block size').count(), 0);
    }));

  test('the dry run says exact sizes, what changes and what is left alone by reason; only what differs from a default is in the recipe', () =>
    shown({}, async opened => {
      await sized(opened, '23.0');
      const sum = await read(opened, '.sum');
      for (const said of [
        'exact sizes',
        'from 90.9 MB',
        '−74.6 % · 3.94 × smaller',
        'Now 90.9 MB 1 Quantize 23.0 MB',
        'Matrices quantized 39 fp32 → int8',
        'Quality, speed not measured yet',
        'Left alone 51 parts, 2 reasons',
        '50 a bias is too small to gain',
      ])
        assert.ok(sum.includes(said), `${said} in ${sum}`);
      assert.deepEqual(lastDryRun(opened), recipe('quantize'));
      await opened.page.click('vscode-radio >> text=int4');
      await sized(opened, '14.5');
      assert.deepEqual(lastDryRun(opened).steps[0]?.options, { scheme: 'int4' });
      await opened.page.locator('textarea').last().fill('pooler.*\n\nencoder.layer.0.*\n');
      await opened.page.waitForTimeout(150);
      assert.deepEqual(lastDryRun(opened).steps[0]?.options, { scheme: 'int4', exclude: ['pooler.*', 'encoder.layer.0.*'] });
    }));

  test('lists, units, groups, bits by layer and files are typed as their text; nothing typed is nothing said; a file can be chosen', () =>
    shown(
      {
        view: { passes: [listsAndFiles], recipe: recipe('prune-heads') },
        api: { chooseFile: (current: string) => (current === '' ? '/texts/corpus.txt' : null) },
      },
      async opened => {
        const { page } = opened;
        const field = (label: string) => page.getByRole('textbox', { name: label, exact: true });
        const options = async () => {
          await page.waitForTimeout(150);
          return lastDryRun(opened).steps[0]!.options;
        };
        await field('Remove these').fill('0:1 3:0,2');
        await field('Layers').fill('0 2-4');
        await field('Groups').fill('0-2 3-5');
        await field('Bits').fill('8 4 4 8');
        await field('Share to remove').fill('0.25');
        const slider = page.getByRole('slider', { name: 'Share to remove, slider' });
        assert.deepEqual([await slider.inputValue(), await slider.getAttribute('max')], ['25', '95']);
        await slider.press('ArrowRight');
        assert.equal(await field('Share to remove').inputValue(), '0.26');
        assert.equal((await options()).fraction, 0.26);
        await slider.press('ArrowLeft');
        await page.getByRole('button', { name: 'Keep from: Choose…' }).click();
        assert.deepEqual(await options(), {
          remove: '0:1 3:0,2',
          layers: '0 2-4',
          groups: '0-2 3-5',
          bits: '8 4 4 8',
          fraction: 0.25,
          keep_from: '/texts/corpus.txt',
        });
        assert.equal(await field('Keep from').inputValue(), '/texts/corpus.txt');
        for (const label of ['Layers', 'Groups', 'Bits', 'Share to remove', 'Keep from']) await field(label).fill('');
        assert.deepEqual(await options(), { remove: '0:1 3:0,2' });
        await page.click('vscode-radio >> text=activation');
        assert.equal(await field('Remove these').count(), 0);
        assert.deepEqual(await options(), { by: 'activation' }, 'what is hidden is not in the recipe');
        await page.click('vscode-radio >> text=list');
        assert.equal(await field('Remove these').inputValue(), '0:1 3:0,2', 'and is there again with its field');
        assert.deepEqual(await page.locator('.f .wrong').count(), 0);
      },
    ));

  test('values of lists and units from a recipe are shown as their text', () =>
    shown(
      {
        view: {
          passes: [listsAndFiles],
          recipe: {
            version: 1,
            steps: [{ pass: 'prune-heads', options: { remove: { 0: [1], 3: [0, 2] }, groups: [[0, 1, 2], [3]], bits: [8, 4] } }],
          },
        },
      },
      async ({ page }) => {
        const field = (label: string) => page.getByRole('textbox', { name: label, exact: true });
        assert.equal(await field('Remove these').inputValue(), '0:1 3:0,2');
        assert.equal(await field('Groups').inputValue(), '0,1,2 3');
        assert.equal(await field('Bits').inputValue(), '8 4');
      },
    ));

  test('what a dry run says against an option stands at the option, and is a mark in the field', () => {
    const said = failure({
      code: 'bad-recipe',
      sentence: {
        text: 'Step {number} ({pass}): {option} is {found}. It must look like {json}, or as text {text}.',
        args: { number: 1, pass: 'prune-heads', option: 'groups', found: '"x"', json: '[[0, 1]]', text: '0-1' },
      },
    });
    const answer: DryRun = { report: null, failure: said, steps: [] };
    return shown(
      { view: { passes: [listsAndFiles], recipe: recipe('prune-heads') }, api: { dryRun: () => answer } },
      async opened => {
        await opened.page.waitForSelector('.f .wrong');
        assert.equal(
          await read(opened, '.f:has(.wrong)'),
          'Groups Step 1 (prune-heads): groups is "x". It must look like [[0, 1]], or as text 0-1. That share one set.',
        );
        assert.equal(await opened.page.locator('vscode-text-field[aria-invalid=true]').count(), 1);
      },
    );
  });

  test('the calibration text is for all steps: chosen, the extension’s own, or none; a method that misses it says so there', () => {
    const missing: DryRun = {
      report: null,
      failure: failure({
        code: 'usage',
        sentence: {
          text: '{method} looks at activations, and there is no text to run the model on.',
          args: { method: 'gptq' },
        },
      }),
      steps: [],
    };
    return shown(
      {
        view: { passes: tenPasses },
        api: {
          dryRun: (asked: Recipe, _out: string, _format: string, calibration: string) =>
            calibration === '' ? missing : dryRun(asked),
          chooseCalibration: () => '/texts/train sentences.txt',
          ownSentences: () => '/headroom/sentences/en.txt',
        },
      },
      async opened => {
        const { page } = opened;
        const field = page.getByRole('textbox', { name: 'Calibration text', exact: true });
        await page.waitForSelector('.all .wrong');
        assert.equal(await read(opened, '.all .wrong'), 'gptq looks at activations, and there is no text to run the model on.');
        await page.getByRole('button', { name: 'Calibration text: Choose…' }).click();
        await sized(opened, '23.0');
        assert.equal(await field.inputValue(), '/texts/train sentences.txt');
        assert.equal(await page.locator('.all .wrong').count(), 0);
        await page.click('.pass >> text=Prune layers');
        assert.equal(await field.inputValue(), '/texts/train sentences.txt', 'one text for all steps');
        await page.click('text=Use the sentences that come with Headroom');
        await page.waitForTimeout(150);
        await page.click('text=Copy command');
        assert.equal(opened.calls.at(-1)?.args[2], '/headroom/sentences/en.txt');
        await page.reload();
        await page.waitForSelector('.all');
        assert.equal(await field.inputValue(), '/headroom/sentences/en.txt', 'it is kept with the form');
        await page.click('text=Use none');
        await page.waitForSelector('.all .wrong');
      },
    );
  });

  test('what is removed is counted: heads, neurons and layers', () => {
    const report = dryRun(recipe('prune-heads')).report!;
    const edits = [
      { kind: 'remove-heads', target: 'encoder.layer.0.attention', before: 'heads 0, 3, 5', after: '' },
      { kind: 'remove-heads', target: 'encoder.layer.2.attention', before: 'heads 1', after: '' },
      { kind: 'remove-neurons', target: 'encoder.layer.2.intermediate', before: '96 neurons', after: '' },
      { kind: 'remove-layers', target: 'encoder', before: 'layers 1, 4', after: '' },
      { kind: 'factor', target: 'a', before: 'fp32 [384, 384]', after: 'fp32 [64, 384] x [384, 64]' },
    ];
    const answer: DryRun = { report: { ...report, edits }, failure: null, steps: [] };
    return shown({ api: { dryRun: () => answer } }, async opened => {
      await opened.page.waitForSelector('text=Heads removed');
      assert.match(
        await read(opened, '.kv.two'),
        /Heads removed 4 Neurons removed 96 Layers removed 2 Matrices factored 1 Quality/,
      );
    });
  });

  test('a number out of its range says what it can be, is not sent, and Run waits for it', () =>
    shown({ view: { recipe: { version: 1, steps: [{ pass: 'quantize', options: { scheme: 'int4' } }] } } }, async opened => {
      const { page } = opened;
      await sized(opened, '14.5');
      const before = opened.calls.length;
      await page.locator('vscode-text-field.short input').fill('300');
      await page.waitForSelector('text=A number from 16 to 256.');
      assert.equal(await page.locator('vscode-button.run').getAttribute('title'), 'An option is not a number it can be.');
      assert.equal(opened.calls.length, before);
      await page.locator('vscode-text-field.short input').fill('64');
      await page.waitForTimeout(150);
      assert.deepEqual(lastDryRun(opened).steps[0]?.options, { scheme: 'int4', block_size: 64 });
      assert.equal(await page.locator('text=A number from 16 to 256.').count(), 0);
    }));

  test('while a dry run takes long the old numbers stand, greyed, as "updating"; the latest request wins', () => {
    const slow: { asked: Recipe; answer: ReturnType<typeof pending<DryRun>> }[] = [];
    const ask = (asked: Recipe) => {
      const answer = pending<DryRun>();
      slow.push({ asked, answer });
      return answer.promise;
    };
    return shown({ api: { dryRun: ask } }, async opened => {
      const { page } = opened;
      await page.waitForTimeout(100);
      slow[0]!.answer.resolve(dryRun(slow[0]!.asked));
      await sized(opened, '23.0');
      assert.equal(await page.locator('.sum .stale').count(), 0);
      await page.click('vscode-radio >> text=int4');
      await page.waitForSelector('.sum .stale >> text=updating');
      assert.match(await read(opened, '.sum .big'), /^23\.0 MB/);
      await page.click('vscode-radio >> text=int8-dynamic');
      await page.waitForTimeout(150);
      slow[2]!.answer.resolve(dryRun(slow[2]!.asked));
      await page.waitForFunction(() => !document.querySelector('.sum .stale'));
      slow[1]!.answer.resolve(dryRun(slow[1]!.asked));
      await page.waitForTimeout(150);
      assert.match(await read(opened, '.sum .big'), /^23\.0 MB/, 'the late answer for int4 is not shown');
    });
  });

  test('steps are added, moved with Alt+arrows, removed with Delete; F2 goes to the options; focus stays with the step', () =>
    shown({ view: twoSteps }, async opened => {
      const { page } = opened;
      const steps = () => page.locator('.pick > span:nth-of-type(2)').allInnerTexts();
      const focused = () => page.evaluate(() => document.activeElement?.querySelector('span:nth-of-type(2)')?.textContent);
      assert.deepEqual(await page.locator('.grp').allInnerTexts(), ['Quantize', 'Prune', 'Factorize', 'Share weights']);
      await page.click('.pass >> text=Share layers');
      assert.deepEqual(await steps(), ['Prune heads', 'Quantize', 'Share layers']);
      await page.locator('.pick').last().focus();
      await page.keyboard.press('Alt+ArrowUp');
      await page.keyboard.press('Alt+ArrowUp');
      await page.keyboard.press('Alt+ArrowUp');
      assert.deepEqual(await steps(), ['Share layers', 'Prune heads', 'Quantize']);
      assert.equal(await focused(), 'Share layers');
      await page.keyboard.press('ArrowDown');
      assert.equal(await focused(), 'Prune heads');
      await page.keyboard.press('Delete');
      assert.deepEqual(await steps(), ['Share layers', 'Quantize']);
      assert.equal(await focused(), 'Quantize');
      await page.keyboard.press('Enter');
      await page.keyboard.press('F2');
      assert.equal(await page.evaluate(() => document.activeElement?.closest('.form') !== null), true);
      await page.click('[aria-label="Remove Share layers"]');
      await page.click('[aria-label="Remove Quantize"]');
      assert.equal(await page.locator('vscode-button.run').getAttribute('title'), 'Add a step first.');
      await page.waitForSelector('text=Add a step to see what it would do.');
    }));

  test('a run names what it works on, cancels at once, and says that nothing was written', () => {
    const run = pending<CompressReport>();
    return shown({ api: { run: () => run.promise } }, async opened => {
      const { page } = opened;
      await sized(opened, '23.0');
      await page.keyboard.press('Control+Enter');
      await page.waitForSelector('.form >> text=Opening the model');
      opened.emit('progress', { fraction: 0.3, what: 'encoder.layer.2.attention.self.query', bytesDone: 27e6, bytesTotal: 90e6 });
      opened.emit('progress', { fraction: 0.61, what: 'encoder.layer.3.output.dense', bytesDone: 55e6, bytesTotal: 90e6 });
      await page.waitForSelector('.log >> text=Layer 3 · output.dense');
      assert.match(
        await read(opened, '.form'),
        /Quantize .*Layer 3 · output\.dense 55\.0 MB of 90\.0 MB Layer 2 · attention\.self\.query Layer 3 · output\.dense Nothing is written until every step is done\./,
      );
      assert.equal(await page.locator('[role=progressbar]').getAttribute('aria-valuenow'), '61');
      assert.equal(await page.locator('[aria-live]').innerText(), 'Quantize, 60 percent');
      assert.ok(await page.locator('.pass').first().isDisabled());
      await page.keyboard.press('Escape');
      assert.ok(!opened.calls.some(call => call.method === 'cancel'), 'Esc never cancels');
      await page.click('vscode-button >> text=Cancel');
      await page.waitForSelector('vscode-button >> text=Cancelling…');
      assert.equal(opened.calls.at(-1)?.method, 'cancel');
      run.reject(failure({ code: 'cancelled', sentence: { text: 'Cancelled. Nothing was written.' } }));
      await page.waitForSelector('.banner >> text=Cancelled. Nothing was written.');
      assert.equal(await page.locator('[role=progressbar]').count(), 0);
      assert.equal(await page.locator('[aria-live]').innerText(), 'Cancelled. Nothing was written.');
    });
  });

  test('a run that is done says the size, takes the focus to "Open result"; one that failed says why and shows the log', () => {
    let ends = 0;
    const run = (asked: Recipe): CompressReport => {
      if (ends++ === 0) throw failure({ hint: { text: 'Make room, or choose another folder.' } });
      return dryRun(asked).report!;
    };
    return shown({ api: { run } }, async opened => {
      const { page } = opened;
      await sized(opened, '23.0');
      await page.click('vscode-button.run');
      await page.waitForSelector('.banner.failed');
      assert.equal(
        await read(opened, '.banner p'),
        'The disk is full: 23.0 MB needed, 4.0 MB free. Nothing was written. Make room, or choose another folder.',
      );
      await page.click('text=Show log');
      assert.equal(opened.calls.at(-1)?.method, 'showLog');
      await page.click('vscode-button.run');
      await page.waitForSelector('.banner:not(.failed)');
      assert.match(
        await read(opened, '.banner p'),
        /^Done\. 23\.0 MB, −74\.6 %\. 1\.8 s \/models\/minilm\/model\.int8\.safetensors/,
      );
      assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Open result');
      await page.keyboard.press('Enter');
      await page.waitForTimeout(100);
      assert.deepEqual(opened.calls.at(-1), { method: 'openResult', args: ['/models/minilm/model.int8.safetensors'] });
    });
  });

  test('reopened in mid-work it shows the work; when the host says it is over, the form is back', () =>
    shown({ view: { running: { fraction: 0.5, what: 'pooler.dense' } } }, async opened => {
      await opened.page.waitForSelector('.log >> text=pooler.dense');
      assert.ok(!opened.calls.some(call => call.method === 'dryRun'));
      opened.emit('view', compressView());
      await sized(opened, '23.0');
    }));

  test("the host's view in mid-run, with the recipe as it was edited, keeps the form and its run", () => {
    const run = pending<CompressReport>();
    return shown({ api: { run: () => run.promise } }, async opened => {
      const { page } = opened;
      await sized(opened, '23.0');
      await page.click('vscode-radio >> text=int4');
      await sized(opened, '14.5');
      await page.click('vscode-button.run');
      const asked = opened.calls.find(call => call.method === 'run')!.args[0] as Recipe;
      opened.emit('view', compressView({ recipe: asked, running: { what: 'pooler.dense', fraction: 0.9 } }));
      opened.emit('view', compressView({ recipe: asked }));
      await page.waitForTimeout(100);
      assert.equal(await page.locator('[role=progressbar]').count(), 1, 'the answer is still to come');
      run.resolve(dryRun(asked).report!);
      await page.waitForSelector('.banner >> text=Done. 14.5 MB');
    });
  });

  test('a model that cannot be opened says so, and asks again when told to', () => {
    let times = 0;
    const view = () => {
      if (times++ === 0) throw failure({ code: 'not-found', sentence: { text: 'There is no such file.' }, file: 'model.onnx' });
      return compressView();
    };
    return (async () => {
      const opened = await openPage(browser, { page: 'compress', api: { view, dryRun: (asked: Recipe) => dryRun(asked) } });
      await opened.page.waitForSelector('text=model.onnx: There is no such file.');
      assert.deepEqual(await accessibilityFindings(opened.page), []);
      await opened.page.click('text=Try again');
      await sized(opened, '23.0');
      await opened.close();
    })();
  });

  test('a dry run that fails says why and what to do, and Run is not to be pressed; nothing to change is said too', async () => {
    const refused: DryRun = {
      report: null,
      failure: failure({
        code: 'unsupported',
        sentence: { text: 'A safetensors model cannot be written as onnx yet.' },
        hint: { text: 'Choose the format of the input.' },
      }),
      steps: [],
    };
    await shown({ api: { dryRun: () => refused } }, async opened => {
      await opened.page.waitForSelector('.sum [role=alert]');
      assert.equal(
        await read(opened, '.sum [role=alert]'),
        'A safetensors model cannot be written as onnx yet. Choose the format of the input.',
      );
      assert.equal(
        await opened.page.locator('vscode-button.run').evaluate(button => (button as HTMLButtonElement).disabled),
        true,
      );
    });
    const nothing = { ...dryRun(recipe('quantize')), report: { ...dryRun(recipe('quantize')).report!, edits: [] } };
    await shown({ api: { dryRun: () => nothing } }, async opened => {
      await opened.page.waitForFunction(
        () => document.querySelector('vscode-button.run')?.getAttribute('title') === 'These steps change nothing in this model.',
      );
    });
  });

  test('the output: Browse, a format that changes the ending, an ending that changes the format, command and recipe', () =>
    shown({ api: { chooseOut: () => '/tmp/small.onnx' } }, async opened => {
      const { page } = opened;
      const format = () => page.locator('vscode-dropdown.format').evaluate(element => (element as HTMLInputElement).value);
      const out = () => page.locator('vscode-text-field.out').evaluate(element => (element as HTMLInputElement).value);
      await sized(opened, '23.0');
      await page.click('vscode-button.browse');
      await page.waitForFunction(() => document.querySelector<HTMLInputElement>('vscode-dropdown.format')?.value === 'onnx');
      assert.equal(await out(), '/tmp/small.onnx');
      await page.click('vscode-dropdown.format');
      await page.click('vscode-dropdown.format vscode-option >> text=safetensors');
      assert.equal(await out(), '/tmp/small.safetensors');
      assert.equal(await format(), 'safetensors');
      await page.click('text=Copy command');
      assert.deepEqual(opened.calls.at(-1), { method: 'copyCommand', args: [recipe('quantize'), '/tmp/small.safetensors', ''] });
      await page.click('text=Save recipe…');
      assert.deepEqual(opened.calls.at(-1), { method: 'saveRecipe', args: [recipe('quantize')] });
    }));

  test('the name of the result follows the steps until the person gives it one', () =>
    shown(
      {
        view: { passes: tenPasses },
        api: { proposeOut: ({ steps }: Recipe) => `/models/model-${steps.map(({ pass }) => pass).join('-')}/` },
      },
      async opened => {
        const { page } = opened;
        const field = page.locator('vscode-text-field.out');
        const out = () => field.evaluate(element => (element as HTMLInputElement).value);
        const named = (name: string) =>
          page.waitForFunction(
            wanted => document.querySelector<HTMLInputElement>('vscode-text-field.out')?.value === wanted,
            name,
          );
        await sized(opened, '23.0');
        assert.equal(await out(), '/models/minilm/model.int8.safetensors');
        await page.click('.pass >> text=Prune layers');
        await named('/models/model-quantize-prune-layers/');
        await field.locator('input').fill('/tmp/mine/');
        await page.click('.pass >> text=Share layers');
        await page.waitForTimeout(200);
        assert.equal(await out(), '/tmp/mine/');
      },
    ));

  test('what was edited is there again after a reload; another recipe from the host replaces it', () =>
    shown({ view: { passes: tenPasses } }, async opened => {
      const { page } = opened;
      await page.click('.pass >> text=Prune layers');
      await page.locator('vscode-text-field.short input').fill('0.5');
      await page.waitForTimeout(150);
      await page.reload();
      await page.waitForSelector('.pick');
      assert.deepEqual(await page.locator('.pick .small').allInnerTexts(), ['int8', 'Fraction 0.5']);
      opened.emit('view', compressView({ passes: tenPasses, recipe: recipe('factorize') }));
      await page.waitForFunction(() => document.querySelectorAll('.pick').length === 1);
      assert.match(await read(opened, '.pick'), /Factorize matrices/);
    }));

  test('no part of the form is wider than its panel, from 300 to 1,600 px', () =>
    shown({ view: { ...twoSteps, name: 'a-very-long-name-of-a-model'.repeat(4) } }, async opened => {
      const { page } = opened;
      await sized(opened, '14.0');
      for (const width of [1600, 1200, 960, 959, 800, 700, 560, 420, 300]) {
        await page.setViewportSize({ width, height: 800 });
        await page.waitForTimeout(50);
        const wide = await page.evaluate(() =>
          [document.documentElement, ...document.querySelectorAll('.steps, .form, .sum, .end, .hdr, .f')]
            .filter(element => element.scrollWidth > element.clientWidth)
            .map(element => `${element.className} ${element.scrollWidth} in ${element.clientWidth}`),
        );
        assert.deepEqual(wide, [], String(width));
      }
      await page.click('vscode-button >> text=Add a step');
      await page.click('.pass >> text=Prune layers');
      assert.equal(await page.locator('.pick').count(), 3);
    }));

  test('axe finds nothing serious or critical while editing, running, failed and done, four themes, at 1,200 and 420 px', async () => {
    for (const theme of themes) {
      let run = pending<CompressReport>();
      await shown({ view: twoSteps, api: { run: () => run.promise }, options: { theme } }, async opened => {
        const { page } = opened;
        const check = async (state: string): Promise<void> => {
          for (const width of [1200, 420]) {
            await page.setViewportSize({ width, height: width === 420 ? 1000 : 800 });
            await page.waitForTimeout(100);
            assert.deepEqual(await accessibilityFindings(page), [], `${state} ${theme} ${width}`);
            await opened.screenshot(`compress-${state}-${theme}-${width}`);
          }
        };
        await sized(opened, '14.0');
        await check('form');
        await page.keyboard.press('Control+Enter');
        for (let layer = 0; layer < 5; layer++)
          opened.emit('progress', { fraction: layer / 6, what: `encoder.layer.${layer}.output.dense` });
        await page.waitForSelector('.log >> text=Layer 4');
        await check('running');
        run.reject(failure({}));
        await page.waitForSelector('.banner.failed');
        await check('failed');
        run = pending();
        await page.keyboard.press('Control+Enter');
        run.resolve(dryRun(recipe('prune-heads', 'quantize')).report!);
        await page.waitForSelector('.banner:not(.failed)');
        await check('done');
      });
    }
  });
});
