import type { Anatomy } from '../anatomy/anatomy.ts';
import { fail, sentence } from '../errors.ts';
import type { Model } from '../model/model.ts';

/**
 * Does config.json speak of these tensors? Heads, activations and positions are taken from it, so one of another model makes a graph that
 * computes something else. For files as they lie; a model that was edited in memory may be ahead of its config.
 * throws 'malformed' with what config.json says and what the tensors have
 */
export function checkAgreement({ name, config }: Model, { hidden, layers }: Anatomy): void {
  const sizes = [
    { keys: ['hidden_size', 'dim'], found: hidden },
    { keys: ['num_hidden_layers', 'n_layers'], found: layers.length },
    { keys: ['intermediate_size', 'hidden_dim'], found: Math.max(...layers.map(({ up }) => up.out)), isMost: true },
    { keys: ['num_attention_heads', 'n_heads'], found: Math.max(...layers.map(({ heads }) => heads)), isMost: true },
  ];
  for (const { keys, found, isMost = false } of sizes) {
    const key = keys.find(each => typeof config[each] === 'number');
    const stated = key === undefined ? found : Number(config[key]);
    if (found === stated || (isMost && found < stated) || layers.length === 0) continue;
    throw fail(
      'malformed',
      'config.json says {key} is {stated}; the tensors have {found}.',
      { key: key!, stated, found },
      { file: name, hint: sentence('Is the config.json beside it that of this checkpoint?') },
    );
  }
}
