import type { Anatomy } from '../anatomy/anatomy.ts';
import type { Model } from '../model/model.ts';

/** What config.json says about the arithmetic, and what transformers takes where it does not. */
export interface Settings {
  /** Of the norms. */
  readonly epsilon: number;
  readonly activation: string;
  /** Behind the pooler's matrix. */
  readonly poolerActivation: string;
  /** Behind the matrix that ELECTRA makes one vector of a sentence with. */
  readonly summaryActivation: string;
  /** The decoder is not the table: its bias is its own then, too. */
  readonly untied: boolean;
  /** Positions are counted from the token that pads; from 0 in order where undefined. */
  readonly padding: number | undefined;
  /** A pooler without a matrix is the first token's vector. */
  readonly barePooler: boolean;
  readonly config: Model['config'];
}

export function settingsOf({ config }: Model, { family }: Anatomy): Settings {
  const { layer_norm_eps: epsilon, pad_token_id: padding } = config;
  const own = family === 'distilbert' ? text(config, 'activation') : undefined;
  const usual = defaults[family] ?? {};
  return {
    // DistilBERT's is written into its code.
    epsilon: typeof epsilon === 'number' && family !== 'distilbert' ? epsilon : (usual.epsilon ?? 1e-12),
    activation: own ?? text(config, 'hidden_act') ?? usual.activation ?? 'gelu',
    poolerActivation: isDeberta(family) ? (text(config, 'pooler_hidden_act') ?? 'gelu') : 'tanh',
    summaryActivation: text(config, 'summary_activation') ?? 'gelu',
    untied: config.tie_word_embeddings === false,
    // MPNet's is written into its code.
    padding: countedPositions.includes(family) ? (typeof padding === 'number' && family !== 'mpnet' ? padding : 1) : undefined,
    barePooler: family === 'mobilebert' && config.classifier_activation === false,
    config,
  };
}

export const isDeberta = (family: string): boolean => family === 'deberta-v2' || family === 'deberta-v3';

const defaults: Readonly<Record<string, { readonly activation?: string; readonly epsilon?: number }>> = {
  albert: { activation: 'gelu_new' },
  mobilebert: { activation: 'relu' },
  'deberta-v2': { epsilon: 1e-7 },
  'deberta-v3': { epsilon: 1e-7 },
};

const countedPositions: readonly string[] = ['roberta', 'xlm-roberta', 'camembert', 'mpnet'];

/** A word of config.json. */
export const text = (config: Model['config'], key: string): string | undefined => {
  const value = config[key];
  return typeof value === 'string' ? value : undefined;
};

/** A yes or no of config.json. */
export const flag = (config: Model['config'], key: string, otherwise: boolean): boolean => {
  const value = config[key];
  return typeof value === 'boolean' ? value : otherwise;
};

/** A whole number of config.json, which may be -1 for "none". */
export const whole = (config: Model['config'], key: string, otherwise: number): number => {
  const value = config[key];
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : otherwise;
};
