import { toFailure } from '../core/session/failure.ts';
import { createSession } from '../core/session/session.ts';
import type { EngineApi } from '../protocol/messages.ts';
import { type Port, serve } from '../protocol/rpc.ts';
import { throttled } from './throttled.ts';

// The process that does the work: a crash or an out-of-memory here never reaches VS Code. Started by host/engine.ts with an ipc channel.

/** Between two progress messages of one call; a person reads no faster, and a message costs about 0.1 ms on either side. */
const progressIntervalMs = 40;

/** How long work in progress may take to clean up after the host is gone. */
const cleanUpMs = 2000;

const port: Port = {
  post: message => {
    if (process.connected) process.send!(message);
  },
  onMessage: listener => void process.on('message', listener),
};

const session = createSession();
const calls = serve<EngineApi>(
  port,
  {
    inspect: (path, options) => session.inspect(path, throttled(options, progressIntervalMs)),
    passes: () => session.passes(),
    compress: (request, options) => session.compress(request, throttled(options, progressIntervalMs)),
    export: (path, out, options) => session.export(path, out, throttled(options, progressIntervalMs)),
    compare: (before, after, options) => session.compare(before, after, throttled(options, progressIntervalMs)),
    matrixDiff: (before, after, id, request, options) =>
      session.matrixDiff(before, after, id, request, throttled(options, progressIntervalMs)),
    evaluate: (path, request, options) => session.evaluate(path, request, throttled(options, progressIntervalMs)),
    stateHeads: (path, heads) => session.stateHeads(path, heads),
    scores: (path, request, options) => session.scores(path, request, throttled(options, progressIntervalMs)),
    sensitivity: (path, request, options) => session.sensitivity(path, request, throttled(options, progressIntervalMs)),
    outputSpectrum: (path, id, request, options) =>
      session.outputSpectrum(path, id, request, throttled(options, progressIntervalMs)),
    ownSentences: path => session.ownSentences(path),
    attention: (path, request, options) => session.attention(path, request, throttled(options, progressIntervalMs)),
    record: (path, options) => session.record(path, options),
    keepRecord: (path, kept) => session.keepRecord(path, kept),
    document: (comparison, made, kind, measured) => session.document(comparison, made, kind, measured),
    summaryDocument: (summary, kind) => session.summaryDocument(summary, kind),
    statistics: (path, tensor, options) => session.statistics(path, tensor, throttled(options, progressIntervalMs)),
    heatMap: (path, tensor, request, options) => session.heatMap(path, tensor, request, throttled(options, progressIntervalMs)),
    values: (path, tensor, request, options) => session.values(path, tensor, request, throttled(options, progressIntervalMs)),
    exportTensor: (path, tensor, kind, out, options) =>
      session.exportTensor(path, tensor, kind, out, throttled(options, progressIntervalMs)),
    headMeasures: (path, options) => session.headMeasures(path, throttled(options, progressIntervalMs)),
    redundancy: (path, options) => session.redundancy(path, throttled(options, progressIntervalMs)),
    savings: (path, options) => session.savings(path, throttled(options, progressIntervalMs)),
  },
  toFailure,
);

process.once('disconnect', async () => {
  setTimeout(() => process.exit(0), cleanUpMs);
  await calls.cancelAll();
  process.exit(0);
});
