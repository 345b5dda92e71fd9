import { fail, type Sentence, say, sentence } from '../errors.ts';
import { checkAgreement } from '../export/agrees.ts';
import { onnx } from '../format/onnx/onnx.ts';
import { asGraph } from './as-graph.ts';
import { peakMemory, sizesOf, write } from './compress.ts';
import { openPath } from './open.ts';
import { poolingOf } from './pooling.ts';
import { checkTarget, targetOf } from './target.ts';
import type { ExportReport, SessionOptions } from './types.ts';

export interface ExportOptions extends SessionOptions {
  readonly force?: boolean;
}

/** Writes a checkpoint as an ONNX model, opens it again and checks it. throws 'unsupported' for what no graph is made for. */
export async function exportModel(path: string, out: string, options: ExportOptions = {}): Promise<ExportReport> {
  const { force = false, signal } = options;
  const started = performance.now();
  const peak = peakMemory();
  const input = await openPath(path, signal);
  try {
    if (input.model.format === 'onnx')
      throw fail('unsupported', 'This is an ONNX model already.', undefined, {
        file: input.model.name,
        hint: sentence('Choose a .safetensors file, or a folder that holds one.'),
      });
    checkAgreement(input.model, input.anatomy);
    const target = await targetOf(out, 'onnx', input);
    await checkTarget(target, input, force);
    const { pooling, reason } = await poolingOf(input.folder);
    const { left, ...body } = await asGraph(input, pooling, signal);
    await write(input, body, target, onnx, force, options, peak.sample);
    const notUsed = sentence('The outputs of the model’s task do not need it.');
    return {
      version: 1,
      out: target.path,
      before: sizesOf(input.model, input.anatomy),
      after: sizesOf(body.model, body.anatomy),
      inputs: body.model.graph!.inputs.map(({ name }) => name),
      outputs: body.model.graph!.outputs.map(({ name }) => name),
      skipped: [...left.map(target => skip(target, notUsed)), ...(reason ? [skip('sentence_embedding', reason)] : [])],
      seconds: (performance.now() - started) / 1000,
      peakBytes: peak.sample(),
    };
  } finally {
    await input.close();
  }
}

const skip = (target: string, reason: Sentence) => ({ target, reason: say(reason), sentence: reason });
