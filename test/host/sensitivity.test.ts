import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fail } from '../../src/core/errors.ts';
import { SensitivityMeasuring } from '../../src/host/sensitivity.ts';
import type { Services } from '../../src/host/services.ts';
import type { ProgressEvent, Sensitivity, SensitivityQuestion, SensitivityView } from '../../src/protocol/messages.ts';

const question = (parts: SensitivityQuestion['parts'], calibration = ''): SensitivityQuestion => ({
  ...{ step: { pass: 'quantize', options: {} }, parts, calibration, format: 'onnx' },
});

interface Asked {
  readonly request: { readonly parts: string; readonly calibration?: string };
  readonly options: { readonly signal: AbortSignal; readonly progress: (event: ProgressEvent) => void };
  resolve(found: Sensitivity): void;
  reject(error: unknown): void;
}

/** A measuring whose engine answers when the test says so. */
function measuring() {
  const asked: Asked[] = [];
  const views: SensitivityView[] = [];
  const failures: string[] = [];
  const sensitivity = (_: string, request: Asked['request'], options: Asked['options']) =>
    new Promise<Sensitivity>((resolve, reject) => asked.push({ request, options, resolve, reject }));
  const log = { failed: (what: string) => failures.push(what) };
  const services = { engine: { api: { sensitivity } }, log } as never as Services;
  const measured = new SensitivityMeasuring(services, '/models/m.onnx', view => views.push(view));
  return { asked, views, failures, measured, states: () => views.map(({ state }) => state) };
}
const settled = () => new Promise(resolve => setImmediate(resolve));
const answer = { version: 1, rows: [] } as never as Sensitivity;

test('a measuring runs, tells how far it is, and is kept when it is done', async () => {
  const { asked, measured, states, views } = measuring();
  assert.equal(measured.view.state, 'none');
  measured.begin(question('layers', 'texts/some.txt'));
  assert.equal(asked[0]!.request.calibration, '/models/texts/some.txt');
  asked[0]!.options.progress({ fraction: 0.5, what: 'encoder.layer.1' });
  assert.deepEqual(states(), ['running', 'running']);
  asked[0]!.resolve(answer);
  await settled();
  assert.equal(states().at(-1), 'done');
  assert.deepEqual(measured.view, views.at(-1));
});

test('a newer question ends the older one, whose answer is of no use any more', async () => {
  const { asked, measured, views } = measuring();
  measured.begin(question('layers'));
  measured.begin(question('matrices'));
  assert.ok(asked[0]!.options.signal.aborted && !asked[1]!.options.signal.aborted);
  asked[0]!.resolve(answer);
  asked[0]!.options.progress({ fraction: 1, what: 'old' });
  await settled();
  const last = views.at(-1)!;
  assert.ok(last.state === 'running' && last.asked.parts === 'matrices' && last.progress === null);
});

test('a cancel stops the engine and is told; a failure is told and logged', async () => {
  const { asked, failures, measured, states } = measuring();
  measured.begin(question('layers'));
  measured.cancel();
  assert.ok(asked[0]!.options.signal.aborted);
  asked[0]!.reject(fail('cancelled', 'Cancelled.'));
  await settled();
  assert.deepEqual([states().at(-1), failures.length], ['none', 0]);
  measured.begin(question('layers'));
  asked[1]!.reject(fail('unsupported', 'It cannot be run.'));
  await settled();
  assert.deepEqual([states().at(-1), failures.length], ['failed', 1]);
  measured.cancel();
  assert.equal(states().at(-1), 'failed', 'there is nothing to cancel');
});
