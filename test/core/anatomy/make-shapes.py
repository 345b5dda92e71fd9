"""Writes shapes/families.json: names and shapes of tiny random models of each family, and their parameters counted from PyTorch modules.

Made with transformers 5.23, torch 2.13, safetensors 0.8. Run: python make-shapes.py, then the formatter.
The names are those that save_pretrained writes; nothing is counted from names.
"""

import json
import struct
import tempfile
from pathlib import Path

import torch
import transformers
from transformers.models.auto import modeling_auto

SMALL = dict(vocab_size=61, hidden_size=24, num_hidden_layers=1, num_attention_heads=3, intermediate_size=40,
             max_position_embeddings=20, type_vocab_size=2, pad_token_id=0, bos_token_id=1, eos_token_id=2,
             cls_token_id=1, sep_token_id=2)
PLACES = dict(max_2d_position_embeddings=16)
RELATIVE = dict(relative_attention=True, pos_att_type=["c2p", "p2c"], position_biased_input=False)
GROUPS = dict(q_groups=4, k_groups=4, v_groups=4, post_attention_groups=1, intermediate_groups=4, output_groups=4)

# Family, and what its configuration has beside SMALL. A name behind a plus is a variant, made without heads.
MODELS = {
    "bert": {}, "bert+odd": dict(hidden_size=30, intermediate_size=7, num_hidden_layers=1),
    "roberta": {}, "xlm-roberta": {}, "camembert": {}, "mpnet": {}, "ernie": dict(use_task_id=True, task_type_vocab_size=3),
    "electra": dict(embedding_size=16),
    "deberta": RELATIVE, "deberta+plain": dict(position_biased_input=True),
    "deberta-v2": dict(RELATIVE, share_att_key=True, norm_rel_ebd="layer_norm", position_buckets=8, type_vocab_size=0),
    "deberta-v2+wide": dict(RELATIVE, share_att_key=False, conv_kernel_size=3, conv_act="gelu", embedding_size=16,
                            position_biased_input=True),
    "mobilebert": dict(embedding_size=16, intra_bottleneck_size=12, num_feedforward_networks=2),
    "mobilebert+shared": dict(embedding_size=16, intra_bottleneck_size=12, num_feedforward_networks=3,
                              use_bottleneck_attention=True, normalization_type="layer_norm"),
    "modernbert": {}, "modernbert+biased": dict(attention_bias=True, mlp_bias=True, norm_bias=True),
    "nomic_bert": {}, "nomic_bert+wide": dict(head_dim=16),
    "jina_embeddings_v3": {},
    "convbert": dict(embedding_size=16, hidden_size=32, num_attention_heads=4, head_ratio=2),
    "convbert+grouped": dict(embedding_size=16, hidden_size=32, num_attention_heads=4, head_ratio=2, num_groups=2),
    "squeezebert": dict(GROUPS, embedding_size=32, hidden_size=32, num_attention_heads=4),
    "layoutlm": PLACES, "layoutlmv3": dict(PLACES, coordinate_size=4, shape_size=4, input_size=32, patch_size=16),
    "roberta-prelayernorm": {}, "xlm-roberta-xl": {}, "megatron-bert": {}, "big_bird": {}, "data2vec-text": {},
    "rembert": dict(input_embedding_size=16, output_embedding_size=20), "roformer": dict(embedding_size=16),
    "luke": dict(entity_vocab_size=7, entity_emb_size=8), "lilt": dict(max_2d_position_embeddings=16, channel_shrink_ratio=2),
    "esm": {}, "eurobert": dict(num_key_value_heads=3), "eurobert+grouped": dict(num_attention_heads=4, num_key_value_heads=2),
}
TASKS = {
    "base": "MODEL_MAPPING_NAMES",
    "pretraining": "MODEL_FOR_PRETRAINING_MAPPING_NAMES",
    "masked-lm": "MODEL_FOR_MASKED_LM_MAPPING_NAMES",
    "sequence-classification": "MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES",
    "token-classification": "MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES",
    "question-answering": "MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES",
    "multiple-choice": "MODEL_FOR_MULTIPLE_CHOICE_MAPPING_NAMES",
}
# Families close to another one: their heads are that one's.
FEW_TASKS = ("layoutlmv3", "roberta-prelayernorm", "xlm-roberta-xl", "megatron-bert", "data2vec-text", "rembert", "roformer", "esm",
             "camembert", "ernie", "luke", "lilt")
LEFT_OUT = ("id2label", "label2id", "transformers_version", "dtype")
PROJECTIONS = ("query", "key", "value", "q", "k", "v", "query_proj", "key_proj", "value_proj", "q_proj", "k_proj", "v_proj")
FUSED = ("Wqkv", "in_proj")
OUTPUTS = ("attention.output.dense", "attention.attn.o", "attn.Wo", "self_attn.o_proj", "post_attention.conv1d")


def at(module, path):
    for name in path.split("."):
        module = getattr(module, name, None)
    return module


def count(parameters):
    return sum(each.numel() for each in {id(each): each for each in parameters}.values())


def head_of(layer):
    """Heads, numbers of each, and the parameters that belong to one: rows of query, key and value, columns of the output."""
    attention = next(m for m in layer.modules() if hasattr(m, "num_attention_heads") or hasattr(m, "num_heads") or hasattr(m, "head_dim"))
    heads = getattr(attention, "num_attention_heads", None) or getattr(attention, "num_heads", None) or attention.config.num_attention_heads
    size = getattr(attention, "attention_head_size", None) or getattr(attention, "head_dim", None)
    parameters = 0
    for name, module in attention.named_children():
        if name in PROJECTIONS + FUSED:
            parameters += sum(each.numel() for each in module.parameters()) / heads
    parameters += sum(p.numel() for n, p in attention.named_parameters(recurse=False) if n in ("q_bias", "v_bias")) / heads
    out = next(found for path in OUTPUTS if (found := at(layer, path)) is not None)
    parameters += out.weight.numel() / (out.weight.shape[1] * getattr(out, "groups", 1)) * size
    return heads, int(size), int(parameters)


def describe(model, task):
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        with open(Path(folder, "model.safetensors"), "rb") as file:
            header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        config = json.loads(Path(folder, "config.json").read_text())
    base = model.base_model
    layers = next(list(found) for path in ("encoder.layer", "encoder.layers", "layers") if (found := at(base, path)) is not None)
    before = [base.embeddings if hasattr(base, "embeddings") else base.embed_tokens]
    above = [each for name in ("pooler", "contact_head") if (found := getattr(base, name, None)) is not None for each in found.parameters()]
    heads = [head_of(layer) for layer in layers]
    return {
        "class": type(model).__name__, "task": task,
        "config": {key: value for key, value in config.items() if key not in LEFT_OUT and value not in (None, False, 0.0)
                   and not key.endswith(("_token_id", "_dropout", "_prob", "_eps", "_range", "_act", "_cache"))},
        "tensors": " ".join(f"{name}={header[name]['dtype']}:{','.join(map(str, header[name]['shape']))}"
                            for name in sorted(header) if name != "__metadata__"),
        "parameters": count(model.parameters()),
        "embeddings": sum(count(each.parameters()) for each in before),
        "layers": [count(layer.parameters()) for layer in layers],
        "around": count(base.parameters()) - sum(count(each.parameters()) for each in before + layers) - count(above),
        "heads": [head[0] for head in heads], "headDim": heads[0][1], "head": heads[0][2],
    }


def main():
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    models = {}
    for name, extra in MODELS.items():
        family = name.split("+")[0]
        for task, mapping in TASKS.items():
            found = getattr(modeling_auto, mapping).get(family)
            found = found[0] if isinstance(found, (list, tuple)) else found
            if found is None or ("+" in name and task != "base") or (task == "pretraining" and not found.endswith("ForPreTraining")):
                continue
            if family in FEW_TASKS and task not in ("base", "masked-lm", "sequence-classification"):
                continue
            values = {**SMALL, **({"num_hidden_layers": 2} if task == "base" else {}), **extra}
            torch.manual_seed(0)
            model = getattr(transformers, found)(transformers.AutoConfig.for_model(family, **values))
            models[f"{name} {task}"] = describe(model, task)
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(model, separators=(',', ':'))}" for name, model in models.items())
    Path(__file__).with_name("shapes").joinpath("families.json").write_text("{\n" + lines + "\n}\n")


main()
