"""The rivals of the bench: one JSON request a line, one JSON answer a line. Without a path only what the work needs is imported."""
import json, logging, resource, sys, time

import onnx

logging.disable(logging.WARNING)


def load(path, out):
    return lambda: onnx.load(path)


def int8(path, out):
    from onnxruntime.quantization import QuantType, quantize_dynamic

    return lambda: quantize_dynamic(path, out, per_channel=True, weight_type=QuantType.QInt8)


def int4(path, out):
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    def work():
        quantizer = MatMulNBitsQuantizer(path, bits=4, block_size=64, is_symmetric=False)
        quantizer.process()
        quantizer.model.save_model_to_file(out, False)

    return work


def fp16(path, out):
    from onnxruntime.transformers.float16 import convert_float_to_float16

    return lambda: onnx.save(convert_float_to_float16(onnx.load(path), keep_io_types=True), out)


for line in sys.stdin:
    request = json.loads(line)
    work = {"load": load, "int8": int8, "int4": int4, "fp16": fp16}[request["do"]](request.get("path"), request.get("out"))
    start = time.perf_counter()
    if "path" in request:
        work()
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}), flush=True)
