import type { Anatomy } from '../../anatomy/anatomy.ts';
import { sentence } from '../../errors.ts';
import { calibrationOf } from '../calibration-of.ts';
import { held } from '../computed.ts';
import type { PassContext, QuantizeEdit } from '../pass.ts';
import { planGraph } from './graph.ts';
import { graphsOnly } from './graphs-only.ts';
import { Histogram } from './histogram.ts';
import { observedSites, observeInputs } from './observed.ts';
import { rangeOf } from './ranges.ts';
import { asymmetricSigned } from './scale.ts';
import type { Scheme } from './scheme.ts';

type Inputs = NonNullable<QuantizeEdit['inputs']>;

export const int8Static: Scheme = {
  id: 'int8-static',
  hint: sentence('8 bits, activations in ranges fixed from calibration text, as onnxruntime’s quantize_static writes them.'),
  options: ['ranges', 'embedding_bits'],
  embeddingBits: [8, 32],
  needs: 'activations',
  source: 'onnxruntime 1.30, quantize_static, QDQ: MatMul, Gemm and Gather, outputs of products left as they are',
  async plan(anatomy, options, context) {
    const { model, format } = context;
    const { graph } = model;
    if (format === 'safetensors' || !graph) return graphsOnly(model, options.scheme);
    const form = { scheme: 'int8-static', signed: true, turns: false, tables: 'whole', smooth: 0, opset: 13 } as const;
    const inputs = context.dryRun
      ? new Map(observedSites(anatomy).map(({ value }) => [value, parameters(0, 0)]))
      : await inputsOf(anatomy, options.ranges, context);
    return planGraph({ ...model, graph }, anatomy, options, { ...form, inputs });
  },
};

async function inputsOf(anatomy: Anatomy, ranges: string, context: PassContext): Promise<Inputs> {
  const histograms = new Map<string, Histogram>();
  const look = (value: string, rows: Float32Array) => {
    const histogram = histograms.get(value) ?? new Histogram();
    histograms.set(value, histogram);
    histogram.add(rows);
  };
  await observeInputs(anatomy, await calibrationOf(context, 'int8-static'), look, context);
  return new Map([...histograms].map(([value, histogram]) => [value, parameters(...rangeOf(histogram, ranges))]));
}

const parameters = (low: number, high: number) => {
  const { scale, zeroPoint } = asymmetricSigned(low, high);
  return {
    scale: held('scale', 'fp32', [], Float32Array.of(scale)),
    zeroPoint: held('zeroPoint', 'int8', [], Int8Array.of(zeroPoint)),
  };
};
