import { sentence } from '../errors.ts';
import type { Model, Warning } from '../model/model.ts';
import type { Layer, Linear } from './anatomy.ts';
import { extraOrgan } from './extra.ts';
import { count, type Family } from './families/family.ts';
import { layerIds } from './ids.ts';
import { compact, factored, grouped, linear, norm, type Organ, type PackedOrgans } from './modules.ts';
import { headsOf } from './names-heads.ts';
import { type Runs, rowsOf } from './rows.ts';

/** What the layers of a checkpoint are read from. */
export interface Named {
  readonly model: Model;
  readonly family: Family;
  readonly organs: ReadonlyMap<string, Organ>;
  readonly packed: PackedOrgans;
}

/** Modules of one stored layer, by their path below it. */
type Modules = ReadonlyMap<string, Organ>;

/** Layers in the order in which they run. */
export function layersOf(named: Named, warnings: Warning[]): Layer[] {
  const { family, model } = named;
  const stored = storedLayers(named.organs);
  const order = [...stored.keys()].sort((a, b) => a - b);
  if (family.runs && count(model.config, 'num_hidden_layers') === undefined)
    warnings.push({
      code: 'layers-unknown',
      message: sentence(
        'How often the shared layer runs is not stated: config.json is missing or does not say num_hidden_layers.',
      ),
    });
  const runs = family.runs?.(order.length, model.config) ?? sharedRuns(order, model.config) ?? order.map((_, index) => index);
  let widest = 0;
  for (const modules of stored.values()) widest = Math.max(widest, queryRows(named, modules));
  const firsts = new Map<number, number>();
  for (const [index, at] of runs.entries()) if (!firsts.has(at)) firsts.set(at, index);
  return runs.flatMap(
    (at, index) => layer(named, stored.get(order[at]!)!, { index, stored: firsts.get(at)!, from: order[at]!, widest }) ?? [],
  );
}

function storedLayers(organs: ReadonlyMap<string, Organ>): Map<number, Map<string, Organ>> {
  const layers = new Map<number, Map<string, Organ>>();
  for (const [path, organ] of organs) {
    const match = path.match(/^encoder\.layer\.(\d+)\./);
    if (!match) continue;
    const index = Number(match[1]);
    const modules = layers.get(index) ?? new Map<string, Organ>();
    layers.set(index, modules.set(path.slice(match[0].length), organ));
  }
  return layers;
}

/** A layer's id without what stands before its modules. */
const below = (id: string): string => id.slice(id.indexOf('.', 'encoder.layer.'.length) + 1);

function queryRows({ packed }: Named, modules: Modules): number {
  const matrix = (path: string) => linear('', modules.get(path), packed) ?? linear('', modules.get(`${path}.second`), packed);
  const fused = matrix(fusedQuery);
  return fused ? Math.floor(fused.out / 3) : (matrix(below(layerIds(0).query))?.out ?? 0);
}

const fusedQuery = 'attention.self.query_key_value';

interface Place {
  readonly index: number;
  readonly stored: number;
  /** Its number in the file. */
  readonly from: number;
  /** Outputs of the widest query of all layers. */
  readonly widest: number;
}

/** Groups that no class of transformers holds: config.json says which stored layer each executed one uses. */
function sharedRuns(order: readonly number[], { shared_layers: shared }: Model['config']): number[] | undefined {
  if (!Array.isArray(shared) || shared.length > mostRuns) return undefined;
  const runs = shared.map(layer => order.indexOf(layer as number));
  return runs.includes(-1) || new Set(runs).size !== order.length ? undefined : runs;
}

/** A layer runs a dozen times. A config.json that says a million says nothing. */
const mostRuns = 10_000;

/** One executed layer; undefined when a matrix of it is missing, as in a model with a shard missing. */
function layer(named: Named, modules: Modules, place: Place): Layer | undefined {
  const ids = layerIds(place.index);
  const taken = new Set<string>();
  const organ = (id: string) => {
    taken.add(below(id));
    return modules.get(below(id));
  };
  const matrix = (id: string) =>
    linear(id, organ(id), named.packed) ?? compact(id, organ) ?? factored(id, path => linear(path, organ(path), named.packed));
  const attention = fusedAttention(named, ids, matrix, modules, place) ?? {
    query: matrix(ids.query),
    key: matrix(ids.key),
    value: matrix(ids.value),
  };
  const { query, key, value } = attention;
  const forward = fusedForward(ids, matrix) ?? { up: matrix(ids.up), gate: matrix(`${ids.layer}.intermediate.gate`) };
  const [output, down, up] = [matrix(ids.output), matrix(ids.down), forward.up];
  if (!query || !key || !value || !output || !up || !down) return undefined;
  const attentionNorm = norm(ids.attentionNorm, organ(ids.attentionNorm));
  const outputNorm = norm(ids.outputNorm, organ(ids.outputNorm));
  const extra = [...modules].flatMap(([path, each]) =>
    taken.has(path) ? [] : (extraOrgan(`${ids.layer}.${path}`, each, named.packed) ?? []),
  );
  return {
    index: place.index,
    stored: place.stored,
    ...headsOf(named.model, query, named.family, { layer: place.index, widest: place.widest }),
    ...widened(attentionNorm.weight?.shape[0], { query, key, value, output, up, down }),
    attentionNorm,
    outputNorm,
    ...(forward.gate && { gate: forward.gate }),
    ...(extra.length > 0 && { extra }),
  };
}

type Matrices = Pick<Layer, 'query' | 'key' | 'value' | 'output' | 'up' | 'down'>;

/** Convolutions with groups say only how many inputs a group has: the width of what they read is that of the layer's norms. */
function widened(hidden: number | undefined, matrices: Matrices): Matrices {
  if (!hidden || matrices.query.form !== 'convolution') return matrices;
  const { query, key, value, output, up, down } = matrices;
  return {
    query: grouped(query, hidden),
    key: grouped(key, hidden),
    value: grouped(value, hidden),
    output: grouped(output, value.out),
    up: grouped(up, hidden),
    down: grouped(down, up.out),
  };
}

type Ids = ReturnType<typeof layerIds>;

/** Query, key and value as rows of one matrix; biases may stand beside it (DeBERTa). */
function fusedAttention(
  { model, family }: Named,
  ids: Ids,
  matrix: (id: string) => Linear | undefined,
  modules: Modules,
  { index, widest }: Place,
) {
  const whole = matrix(`${ids.layer}.${fusedQuery}`);
  if (!whole || whole.out % 3 !== 0) return undefined;
  const third = whole.out / 3;
  const { heads } = headsOf(model, { in: whole.in, out: third }, family, { layer: index, widest });
  const blocks = family.fusedByHead && heads > 0 ? heads : 1;
  const width = third / blocks;
  const runs = (part: number): Runs =>
    Array.from({ length: blocks }, (_, block) => [(3 * block + part) * width, (3 * block + part + 1) * width] as const);
  const bias = (name: string) => modules.get(`attention.self.${name}`)?.[''];
  return {
    query: rowsOf(ids.query, whole, runs(0), bias('q_bias')),
    key: rowsOf(ids.key, whole, runs(1)),
    value: rowsOf(ids.value, whole, runs(2), bias('v_bias')),
  };
}

/** Up and gate as the halves of one matrix, in the order that its name says. */
function fusedForward(ids: Ids, matrix: (id: string) => Linear | undefined) {
  for (const [first, second] of [
    ['up', 'gate'],
    ['gate', 'up'],
  ] as const) {
    const whole = matrix(`${ids.layer}.intermediate.${first}_${second}`);
    if (!whole || whole.out % 2 !== 0) continue;
    const half = whole.out / 2;
    const id = { up: ids.up, gate: `${ids.layer}.intermediate.gate` };
    const halves = { [first]: rowsOf(id[first], whole, [[0, half]]), [second]: rowsOf(id[second], whole, [[half, 2 * half]]) };
    return { up: halves.up!, gate: halves.gate! };
  }
  return undefined;
}
