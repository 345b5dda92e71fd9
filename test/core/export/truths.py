"""Writes truths.json: what transformers makes of small models whose weights are a formula (formula.ts has it, too).

Run under torch 2.13 and transformers 5.23:  python truths.py > truths.json
"""
import json
import re

import numpy as np
import torch
import transformers

torch.set_num_threads(1)
transformers.logging.set_verbosity_error()

COMMON = dict(vocab_size=20, num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=32, pad_token_id=0)
BERT = dict(COMMON, hidden_size=8, intermediate_size=12)
DEBERTA = dict(BERT, type_vocab_size=0, relative_attention=True, max_relative_positions=-1, position_buckets=4, norm_rel_ebd="layer_norm",
               share_att_key=True, pos_att_type=["p2c", "c2p"], position_biased_input=False)
MOBILE = dict(COMMON, hidden_size=12, embedding_size=6, intra_bottleneck_size=8, intermediate_size=10, num_feedforward_networks=3)

CASES = [("DebertaV2" + task, DEBERTA) for task in ("Model", "ForMaskedLM", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering", "ForMultipleChoice")]
CASES += [("DebertaV2Model", dict(DEBERTA, **change)) for change in (
    dict(conv_kernel_size=3, conv_act="gelu", embedding_size=6),
    dict(conv_kernel_size=5, conv_groups=2, share_att_key=False, pos_att_type=["c2p"]),
    dict(share_att_key=False, pos_att_type=["c2p", "p2c"], type_vocab_size=2, position_biased_input=True),
    dict(share_att_key=False, pos_att_type=["p2c"], norm_rel_ebd="none", position_buckets=-1, max_relative_positions=5),
    dict(relative_attention=False, position_biased_input=True, pos_att_type=[]))]
CASES += [("DebertaV2ForMaskedLM", dict(DEBERTA, legacy=False))]
CASES += [("MobileBert" + task, MOBILE) for task in ("Model", "ForMaskedLM", "ForPreTraining", "ForNextSentencePrediction", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering", "ForMultipleChoice")]
CASES += [("MobileBertModel", dict(MOBILE, **change)) for change in (
    dict(normalization_type="layer_norm", layer_norm_eps=1e-3), dict(use_bottleneck_attention=True), dict(use_bottleneck=False),
    dict(key_query_shared_bottleneck=False, intra_bottleneck_size=12), dict(trigram_input=False, num_feedforward_networks=1, hidden_act="gelu"))]
CASES += [("MobileBertForSequenceClassification", dict(MOBILE, classifier_activation=False))]
CASES += [("MPNet" + task, BERT) for task in ("Model", "ForMaskedLM", "ForSequenceClassification")]
CASES += [(name + "ForMultipleChoice", dict(BERT, **more)) for name, more in (
    ("Bert", {}), ("Roberta", dict(type_vocab_size=1)), ("Albert", dict(embedding_size=6)), ("Electra", dict(embedding_size=6)), ("MPNet", {}),
    ("DistilBert", dict(dim=8, n_heads=2, n_layers=2, hidden_dim=12)))]


def weights(name, shape):
    """FNV-1a of the name starts a linear congruence; its upper 24 bits are numbers from -0.3 to 0.3, those of a norm from 0.7 to 1.3."""
    state = 2166136261
    for byte in name.encode():
        state = ((state ^ byte) * 16777619) & 0xFFFFFFFF
    values = np.empty(int(np.prod(shape)))
    for index in range(values.size):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        values[index] = ((state >> 8) / 2**24 - 0.5) * 0.6
    if re.search(r"layer_?norm\.weight$", name, re.I):
        values += 1
    return torch.from_numpy(values.astype(np.float32).reshape(tuple(shape)))


def inputs(model, length=9):
    """Two rows of ids, the second with three positions of padding; for choices two questions of two, the rows and the rows turned."""
    state, rows = 1, []
    for row in range(2):
        rows.append([])
        for at in range(length):
            state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
            rows[-1].append(3 + (state >> 8) % 17)
    mask = [[1] * length, [1] * (length - 3) + [0] * 3]
    feeds = {"input_ids": [[id * seen for id, seen in zip(*pair)] for pair in zip(rows, mask)], "attention_mask": mask}
    if getattr(model.config, "type_vocab_size", 0) > 1 and "MPNet" not in type(model).__name__:
        feeds["token_type_ids"] = [[int(at > 2) for at in range(length)]] * 2
    if "MultipleChoice" in type(model).__name__:
        feeds = {key: [rows, rows[::-1]] for key, rows in feeds.items()}
    return feeds


def truth(name, config):
    cls = getattr(transformers, name)
    labels = 2 if "Question" in name else 3
    model = cls(cls.config_class(**config, num_labels=labels)).eval()
    first = {}
    for key, value in model.state_dict().items():
        if value.dtype.is_floating_point and first.setdefault(value.data_ptr(), key) == key:
            value.copy_(weights(key, value.shape))
    tensors = {key: list(value.shape) for key, value in model.state_dict().items() if first.get(value.data_ptr()) == key and value.numel()}
    feeds = inputs(model)
    with torch.no_grad():
        made = model(**{key: torch.tensor(value) for key, value in feeds.items()})
    outputs = {}
    for key, value in made.items():
        every = max(1, value.numel() // 48)
        outputs[key] = {"shape": list(value.shape), "every": every, "numbers": [round(x, 6) for x in value.flatten()[::every].tolist()]}
    return {
        "class": name,
        "config": {"model_type": model.config.model_type, "architectures": [name], **config},
        "tensors": " ".join(f"{key}={','.join(map(str, shape))}" for key, shape in tensors.items() if "layer.1." not in key),
        "inputs": feeds,
        "outputs": outputs,
    }


print(json.dumps([truth(*case) for case in CASES]))
