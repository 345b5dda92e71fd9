import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Engine, type EngineOptions } from '../../src/host/engine.ts';
import { removeLeftovers } from '../../src/host/leftovers.ts';
import type { CompressRequest, Failure } from '../../src/protocol/messages.ts';
import { RemoteError } from '../../src/protocol/rpc.ts';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'headroom-engine-'));
const engines: Engine[] = [];
after(async () => {
  for (const engine of engines) engine.dispose();
  await wait(200);
  rmSync(folder, { recursive: true, force: true });
});

/** An engine that does as told: what it does with a call is its `path`. */
const obedient = join(folder, 'obedient.mjs');
writeFileSync(
  obedient,
  `import { writeFileSync } from 'node:fs';
process.on('message', ({ kind, id, method, args }) => {
  if (kind !== 'call') return;
  const answer = value => process.send({ kind: 'reply', id, ok: true, value });
  const { path, out } = typeof args[0] === 'object' ? args[0] : { path: args[0] };
  if (method === 'passes') return answer([]);
  process.send({ kind: 'progress', id, body: { what: 'encoder.layer.3.attention.self.query' } });
  if (out) writeFileSync(out.replace(/[^/]+$/, '.x.headroom-' + process.pid + '-0a1b2c3d.tmp'), 'half');
  if (path === 'die') setTimeout(() => process.kill(process.pid, 'SIGKILL'), 20);
  else if (path === 'exit') setTimeout(() => process.exit(3), 20);
  else if (path === 'hang') setInterval(() => {}, 1000);
  else if (path === 'busy') { const end = Date.now() + 60000; while (Date.now() < end); }
  else answer(path);
});
process.on('disconnect', () => process.exit(0));
`,
);

function start(options: Partial<EngineOptions> = {}): { engine: Engine; log: string[] } {
  const log: string[] = [];
  const engine = new Engine({
    modulePath: obedient,
    memoryMegabytes: () => 512,
    log: line => log.push(line),
    removeLeftovers,
    ...options,
  });
  engines.push(engine);
  return { engine, log };
}

const request = (path: string): CompressRequest => ({ path, out: join(folder, 'out.onnx'), recipe: { version: 1, steps: [] } });
const leftovers = () => readdirSync(folder).filter(name => name.endsWith('.tmp'));

async function failureOf(call: Promise<unknown>): Promise<Failure> {
  const error = await call.then(
    () => assert.fail('it resolved'),
    error => error,
  );
  assert.ok(error instanceof RemoteError, String(error));
  return error.failure;
}

test('no process runs until something is asked; one serves all', async () => {
  const { engine } = start();
  assert.equal(engine.pid, undefined);
  await Promise.all([engine.api.passes(), engine.api.inspect('a'), engine.api.inspect('b')]);
  const { pid } = engine;
  assert.ok(pid);
  await engine.api.passes();
  assert.equal(engine.pid, pid);
});

test('a crash in mid-work fails every call with what it was on, takes its temporary files away, and the next call starts anew', async () => {
  const { engine, log } = start();
  const other = failureOf(engine.api.inspect('hang'));
  const failure = await failureOf(engine.api.compress(request('die')));
  assert.equal(failure.code, 'engine-stopped');
  assert.equal(failure.message, 'The worker stopped while on encoder.layer.3.attention.self.query. Nothing was written.');
  assert.equal((await other).code, 'engine-stopped');
  assert.deepEqual(leftovers(), []);
  assert.equal(engine.pid, undefined);
  assert.equal(await engine.api.inspect('again'), 'again');
  assert.ok(log.some(line => /ended: SIGKILL/.test(line)));
});

test('an engine that dies while it runs a model says which; a cancelled run is only cancelled', async () => {
  const { engine } = start();
  const failure = await failureOf(engine.api.evaluate('die', { texts: ['a'] }));
  assert.equal(failure.code, 'engine-stopped');
  assert.match(failure.sentence.text, /^The worker stopped while it ran this model\./);
  assert.equal(failure.file, 'encoder.layer.3.attention.self.query', 'what the progress named last');
  assert.match((await failureOf(engine.api.attention('exit', { text: 'a', layer: 0 }))).message, /ran this model/);
  const cancel = new AbortController();
  const cancelled = failureOf(engine.api.evaluate('die', { texts: ['a'] }, { signal: cancel.signal }));
  cancel.abort();
  assert.equal((await cancelled).code, 'cancelled');
});

test('an engine that ends by itself counts as a crash', async () => {
  const { engine } = start();
  assert.equal((await failureOf(engine.api.compress(request('exit')))).code, 'engine-stopped');
});

test('a module that is not there is a failure, not a crash of the host', async () => {
  const { engine } = start({ modulePath: join(folder, 'missing.mjs') });
  assert.equal((await failureOf(engine.api.passes())).code, 'engine-stopped');
});

test('an engine too busy to answer a cancel is ended, and the call is cancelled', async () => {
  const { engine, log } = start({ cancelGraceMs: 150 });
  const controller = new AbortController();
  const call = failureOf(engine.api.compress(request('busy'), { signal: controller.signal, progress: () => controller.abort() }));
  assert.equal((await call).code, 'cancelled');
  assert.deepEqual(leftovers(), []);
  assert.ok(log.some(line => /did not answer a cancel/.test(line)));
});

test('it ends after a while without work, and starts again when asked', async () => {
  const { engine, log } = start({ lingerMs: 50 });
  await engine.api.passes();
  await wait(600);
  assert.equal(engine.pid, undefined);
  assert.ok(log.some(line => /ended: code 0/.test(line)));
  assert.deepEqual(await engine.api.passes(), []);
});

test('after dispose nothing is started any more', async () => {
  const { engine } = start();
  await engine.api.passes();
  engine.dispose();
  assert.equal((await failureOf(engine.api.passes())).code, 'engine-stopped');
});

const built = existsSync(join(root, 'src/core/kernels/built.ts'));
const skip = built ? false : 'skipped: the kernels are not built (npm run build)';

test('the real engine inspects the sample: 1,594,754 parameters, 6,452,269 bytes', { skip }, async () => {
  const { engine } = start({ modulePath: join(root, 'src/engine/main.ts') });
  const { file, model } = await engine.api.inspect(join(root, 'media/sample/model.onnx'));
  assert.equal(model.parameters, 1_594_754);
  assert.equal(file.byteLength, 6_452_269);
});

test('the real engine passes on a failure with code and file', { skip }, async () => {
  const { engine } = start({ modulePath: join(root, 'src/engine/main.ts') });
  const failure = await failureOf(engine.api.inspect(join(root, 'media/sample/vocab.txt')));
  assert.deepEqual([failure.code, failure.file], ['not-a-model', 'vocab.txt']);
});

test('the real engine, cancelled in mid-work, leaves nothing behind', { skip }, async () => {
  const { engine } = start({ modulePath: join(root, 'src/engine/main.ts') });
  const out = join(folder, 'sample.int8.onnx');
  const recipe = { version: 1 as const, steps: [{ pass: 'quantize', options: { scheme: 'int8' } }] };
  const controller = new AbortController();
  const path = join(root, 'media/sample/model.onnx');
  const call = engine.api.compress({ path, recipe, out }, { signal: controller.signal, progress: () => controller.abort() });
  assert.equal((await failureOf(call)).code, 'cancelled');
  assert.deepEqual([existsSync(out), leftovers()], [false, []]);
});

test('the real engine, left alone in mid-work, takes its temporary files away itself', { skip }, async () => {
  const { engine } = start({ modulePath: join(root, 'src/engine/main.ts'), removeLeftovers: async () => {} });
  const out = join(folder, 'left-alone.int8.onnx');
  const recipe = { version: 1 as const, steps: [{ pass: 'quantize', options: { scheme: 'int8' } }] };
  let wasThere = false;
  const call = engine.api.compress(
    { path: join(root, 'media/sample/model.onnx'), recipe, out },
    {
      progress: () => {
        wasThere ||= leftovers().length > 0;
        engine.dispose();
      },
    },
  );
  assert.equal((await failureOf(call)).code, 'engine-stopped');
  assert.deepEqual([wasThere, existsSync(out), leftovers()], [true, false, []]);
});

test('the real engine exports a tensor with progress; cancelled, it leaves nothing behind', { skip }, async () => {
  const { engine } = start({ modulePath: join(root, 'src/engine/main.ts') });
  const path = join(root, 'media/sample/model.onnx');
  const name = 'm.bert.embeddings.word_embeddings.weight';
  const out = join(folder, 'words.csv');
  const controller = new AbortController();
  const cancelled = engine.api.exportTensor(path, name, 'csv', out, {
    signal: controller.signal,
    progress: () => controller.abort(),
  });
  assert.equal((await failureOf(cancelled)).code, 'cancelled');
  assert.deepEqual([existsSync(out), leftovers()], [false, []]);
  const whole = join(folder, 'words.npy');
  const { byteLength } = await engine.api.exportTensor(path, name, 'npy', whole);
  assert.ok(byteLength > 6000 * 128 * 4 && byteLength < 6000 * 128 * 4 + 256, `${byteLength}`);
  assert.equal((await failureOf(engine.api.exportTensor(path, name, 'npy', whole))).code, 'output-exists');
  assert.equal((await engine.api.exportTensor(path, name, 'npy', whole, { force: true })).byteLength, byteLength);
});

test('the real engine, asked for redundancy and cancelled, answers within 2 s and goes on', { skip }, async () => {
  const { engine } = start({ modulePath: join(root, 'src/engine/main.ts') });
  const path = join(root, 'media/sample/model.onnx');
  await engine.api.passes();
  const { pid } = engine;
  const controller = new AbortController();
  let at = Number.POSITIVE_INFINITY;
  const stop = () => {
    at = Math.min(at, performance.now());
    controller.abort();
  };
  const call = engine.api.redundancy(path, { signal: controller.signal, progress: stop });
  assert.equal((await failureOf(call)).code, 'cancelled');
  assert.ok(performance.now() - at < 2000, `${performance.now() - at} ms`);
  assert.equal((await engine.api.statistics(path, 'm.bert.embeddings.word_embeddings.weight'))?.count, 6000 * 128);
  assert.equal(engine.pid, pid);
});
