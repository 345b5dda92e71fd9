"""Spearman on STS-B as one would write it: the Rust tokenizers, onnxruntime, texts sorted by length, in batches, mean pooling.

MODEL.onnx TOKENIZER.json PAIRS.csv THREADS BATCH
"""
import csv, json, resource, sys

import numpy
import onnxruntime
from tokenizers import Tokenizer

model, tokenizer, pairs, threads, size = *sys.argv[1:4], *map(int, sys.argv[4:6])
with open(pairs, encoding="utf-8") as file:
    rows = list(csv.reader(file))
encode = Tokenizer.from_file(tokenizer)
encode.enable_truncation(128)
encode.no_padding()
ids = [it.ids for it in encode.encode_batch([text for row in rows for text in row[:2]])]
options = onnxruntime.SessionOptions()
options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
order = sorted(range(len(ids)), key=lambda i: -len(ids[i]))
vectors = [None] * len(ids)
for start in range(0, len(order), size):
    batch = order[start : start + size]
    tokens = numpy.zeros((len(batch), len(ids[batch[0]])), numpy.int64)
    mask = numpy.zeros_like(tokens)
    for b, i in enumerate(batch):
        tokens[b, : len(ids[i])], mask[b, : len(ids[i])] = ids[i], 1
    feeds = {"input_ids": tokens, "attention_mask": mask, "token_type_ids": numpy.zeros_like(tokens)}
    hidden = session.run(None, {it.name: feeds[it.name] for it in session.get_inputs()})[0]
    means = (hidden * mask[:, :, None]).sum(1) / mask.sum(1)[:, None]
    for b, i in enumerate(batch):
        vectors[i] = means[b] / numpy.linalg.norm(means[b])


def ranks(values):
    _, places, counts = numpy.unique(values, return_inverse=True, return_counts=True)
    return (counts.cumsum() - (counts + 1) / 2)[places]


cosines = [float(a @ b) for a, b in zip(vectors[0::2], vectors[1::2])]
spearman = numpy.corrcoef(ranks(cosines), ranks([float(row[2]) for row in rows]))[0, 1]
try:  # getrusage counts what the parent had before
    with open("/proc/self/status") as file:
        peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
except OSError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"spearman": 100 * spearman, "peakBytes": peak * 1024}))
