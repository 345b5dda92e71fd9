"""The rivals of the bench: one JSON request a line, one JSON answer a line."""
import json, logging, resource, sys, time

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic

logging.disable(logging.WARNING)
for line in sys.stdin:
    request = json.loads(line)
    start = time.perf_counter()
    if request["do"] == "load":
        onnx.load(request["path"])
    else:
        quantize_dynamic(request["path"], request["out"], per_channel=True, weight_type=QuantType.QInt8)
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}), flush=True)
