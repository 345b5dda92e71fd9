import { Tokenizer as HuggingFace } from '@huggingface/tokenizers';
import { fail } from '../../errors.ts';
import type { Tokenizer } from './tokenizer.ts';

type Settings = Readonly<Record<string, unknown>>;

/** Any tokenizer.json, by @huggingface/tokenizers. throws 'malformed' when that cannot read it. */
export function huggingFace(json: Settings, settings: Settings): Tokenizer {
  const tokenizer = construct(json, settings);
  const { model_max_length: maxLength } = settings;
  const isOneSegment = hasRobertaProcessing(json.post_processor);
  const mask = idOf(tokenizer, [settings.mask_token, '[MASK]', '<mask>']);
  return {
    kind: 'tokenizer.json',
    pad: padOf(tokenizer, json, settings),
    ...(mask !== undefined && { mask }),
    // transformers writes 1e30 where it does not know.
    ...(typeof maxLength === 'number' && maxLength < 1e6 && { maxLength }),
    token: id => tokenizer.id_to_token(id) ?? `#${id}`,
    content: text => tokenizer.encode(text, { add_special_tokens: false }).ids,
    encode(text, pair) {
      const { ids, token_type_ids } = tokenizer.encode(text, { text_pair: pair ?? null, return_token_type_ids: true });
      return { ids, types: isOneSegment || !token_type_ids ? ids.map(() => 0) : token_type_ids };
    },
  };
}

function construct(json: Settings, settings: Settings): HuggingFace {
  try {
    return new HuggingFace(json, settings);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw fail('malformed', 'This tokenizer could not be read: {cause}', { cause: why }, { file: 'tokenizer.json', cause });
  }
}

/** RoBERTa knows one segment: both texts of a pair are 0, which @huggingface/tokenizers has as 0 and 1. */
function hasRobertaProcessing(processor: unknown): boolean {
  const { type, processors } = (processor ?? {}) as { type?: unknown; processors?: unknown };
  return type === 'RobertaProcessing' || (Array.isArray(processors) && processors.some(hasRobertaProcessing));
}

function padOf(tokenizer: HuggingFace, json: Settings, { pad_token: named }: Settings): number {
  const padding = (json.padding as { pad_id?: number } | null | undefined)?.pad_id;
  return idOf(tokenizer, [named, '[PAD]', '<pad>']) ?? padding ?? 0;
}

/** Of the first that it knows: tokens as tokenizer_config.json names them, a text or a record with one. */
function idOf(tokenizer: HuggingFace, tokens: readonly unknown[]): number | undefined {
  return tokens
    .map(it => (typeof it === 'string' ? it : (it as { content?: string } | null | undefined)?.content))
    .map(it => (it === undefined ? undefined : tokenizer.token_to_id(it)))
    .find(it => it !== undefined);
}
