import { type Sentence, sentence } from '../errors.ts';
import type { Model } from '../model/model.ts';
import { longestPath } from './ids.ts';

/** What a model that is no BERT is, in the words of config.json or by the names of its tensors; undefined when neither tells. */
export function kindOf(model: Model): Sentence | undefined {
  return adapter(model) ?? statedKind(model.config.model_type) ?? (model.graph ? undefined : named(model));
}

/** model_type, and what its models are. A family is told by how its name begins: gpt2, gpt_neox, gptj. */
const stated: readonly (readonly [RegExp, (type: string) => Sentence])[] = [
  [
    /^(gpt|llama|mistral|mixtral|qwen|gemma|phi|opt$|bloom|falcon|mpt|deepseek|olmo|granite|smollm|stablelm|starcoder|codegen|cohere|mamba|rwkv|xglm|openai-gpt|ctrl|biogpt|persimmon|glm|chatglm|internlm|exaone|nemotron|jamba)/,
    type => sentence('Not a BERT: config.json says {type}, a decoder for text generation.', { type }),
  ],
  [
    /^(t5|mt5|umt5|longt5|byt5|switch_transformers|bart|mbart|marian|pegasus|blenderbot|m2m_100|nllb|fsmt|led|prophetnet|plbart|encoder-decoder)/,
    type => sentence('Not a BERT: config.json says {type}, an encoder with a decoder.', { type }),
  ],
  [
    /^(clip|chinese_clip|siglip|align|blip|flava|llava|owlvit|groupvit|vision-text-dual-encoder|altclip|git$|idefics|paligemma|vilt|vision-encoder-decoder)/,
    type => sentence('Not a BERT: config.json says {type}, a model of images and text.', { type }),
  ],
  [
    /^(vit|deit|beit|swin|dinov|resnet|convnext|regnet|efficientnet|mobilenet|mobilevit|segformer|detr|yolos|sam|dpt|timm|focalnet|poolformer|levit|cvt|pvt|hiera|rt_detr)/,
    type => sentence('Not a BERT: config.json says {type}, a model of images.', { type }),
  ],
  [
    /^(whisper|wav2vec|hubert|wavlm|unispeech|sew|speech|seamless|audio|clap|encodec|musicgen|bark|speecht5|moonshine|parakeet|mctct|univnet|vits)/,
    type => sentence('Not a BERT: config.json says {type}, a model of sound.', { type }),
  ],
];

function statedKind(type: unknown): Sentence | undefined {
  if (typeof type !== 'string') return undefined;
  const known = stated.find(([pattern]) => pattern.test(type));
  return known ? known[1](type) : sentence('Not a BERT that Headroom knows: config.json says {type}.', { type });
}

/** Names of tensors, and what a model with them is. */
const signs: readonly (readonly [RegExp, string])[] = [
  [/(^|\.)(visual\.|vision_model|text_projection|logit_scale)/, 'CLIP'],
  [/feature_extractor\.conv_layers\./, 'wav2vec 2.0'],
  [/(^|\.)encoder\.conv[12]\.weight$/, 'Whisper'],
  [/SelfAttention\.relative_attention_bias|DenseReluDense|EncDecAttention/, 'T5'],
  [/(^|\.)decoder\.layers\.\d+\.encoder_attn\./, 'BART'],
  [/(^|\.)(h|transformer\.h)\.\d+\.(attn|mlp)\.c_|(^|\.)wte\.weight/, 'GPT-2'],
  [/gpt_neox\.|(^|\.)h\.\d+\.self_attention\.query_key_value/, 'decoder'],
  [/(^|\.)layers\.\d+\.(self_attn|mlp)\.|embed_tokens/, 'decoder'],
  [/\.mixer\.(A_log|in_proj|conv1d)/, 'Mamba'],
  [/\.rel_attn\.[qkvor]$/, 'XLNet'],
  [/(down|up|mid)_blocks?\.\d*\.?(resnets|attentions)/, 'U-Net'],
  [/patch_embed|cls_token|patch_embeddings/, 'vision transformer'],
  [/positional_embedding$/, 'CLIP'],
];

/** Names looked at: families name every layer alike. */
const mostNames = 5000;

function named({ tensors }: Model): Sentence | undefined {
  const all = [...tensors.values()].slice(0, mostNames).filter(({ name }) => name.length <= longestPath);
  const sign = signs.find(([pattern]) => all.some(({ name }) => pattern.test(name)))?.[1];
  if (sign === 'decoder') return sentence('Not a BERT: it looks like a decoder for text generation.');
  if (sign === 'vision transformer') return sentence('Not a BERT: it looks like a Transformer for images.');
  if (sign) return sentence('Not a BERT: it looks like {type}.', { type: sign });
  if (all.length > 0 && all.every(({ name }) => /^(linear|dense)\.(weight|bias)$/.test(name)))
    return sentence('Not a BERT: one dense layer, as sentence-transformers keeps it beside its Transformer.');
  if (all.filter(({ shape }) => shape.length === 4).length * 4 > all.length)
    return sentence('Not a BERT: it looks like a convolutional network.');
  return undefined;
}

const low = /^(.+?)\.lora_(?:A|embedding_A|down)(?:\.\w+)?(?:\.weight)?$/;

/** The matrices of a LoRA adapter: a few numbers to add to a model that is kept elsewhere. */
function adapter({ tensors, config }: Model): Sentence | undefined {
  const targets = new Map<string, number>();
  let [rank, count] = [0, 0];
  for (const { name, shape } of tensors.values()) {
    const [, module] = (name.length <= longestPath && name.match(low)) || [];
    if (module === undefined) continue;
    const target = module.slice(module.lastIndexOf('.') + 1);
    targets.set(target, (targets.get(target) ?? 0) + 1);
    rank = Math.max(
      rank,
      shape.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    );
    count++;
  }
  if (count === 0) return undefined;
  const names = [...targets.keys()].slice(0, 8).join(', ');
  const { base_model_name_or_path: base, lora_alpha: alpha } = config;
  if (typeof base === 'string' && typeof alpha === 'number')
    return sentence(
      'A LoRA adapter for {base}, not a model by itself: {count} matrices of rank {rank} and alpha {alpha}, for {names}.',
      { base, count, rank, alpha, names },
    );
  if (typeof base === 'string')
    return sentence('A LoRA adapter for {base}, not a model by itself: {count} matrices of rank {rank}, for {names}.', {
      base,
      count,
      rank,
      names,
    });
  return sentence('A LoRA adapter, not a model by itself: {count} matrices of rank {rank}, for {names}.', { count, rank, names });
}
