import { held } from '../passes/computed.ts';
import { raised } from '../passes/quantize/int4-opset.ts';
import { Draft, type GraphModel } from './draft.ts';

/** A graph in a newer version of the operators, the axes that became inputs among its initializers. Only for graphs that can be raised. */
export function raise(model: GraphModel, opset: number): GraphModel {
  if ((model.graph.opsets.get('') ?? 1) >= opset) return model;
  const draft = new Draft(model);
  const axes = new Map<string, string>();
  const graph = raised(model.graph, opset, values => {
    const wish = `axes_${values.join('_').replaceAll('-', 'minus')}`;
    const name =
      axes.get(wish) ?? draft.addInitializer(wish, held('', 'int64', [values.length], BigInt64Array.from(values, BigInt)));
    axes.set(wish, name);
    return name;
  });
  draft.push(...graph.nodes);
  const made = draft.finish();
  return { ...made, graph: { ...made.graph, opsets: graph.opsets, irVersion: graph.irVersion } };
}
