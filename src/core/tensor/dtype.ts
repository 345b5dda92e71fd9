/**
 * Every element type of ONNX and safetensors, with its true bits. `name` is what people see ("fp32", "int8").
 * onnx: TensorProto.DataType; safetensors: the header's word.
 */
export const dtypes = {
  fp64: { bits: 64, kind: 'float', onnx: 11, safetensors: 'F64' },
  fp32: { bits: 32, kind: 'float', onnx: 1, safetensors: 'F32' },
  fp16: { bits: 16, kind: 'float', onnx: 10, safetensors: 'F16' },
  bf16: { bits: 16, kind: 'float', onnx: 16, safetensors: 'BF16' },
  fp8_e4m3fn: { bits: 8, kind: 'float', onnx: 17, safetensors: 'F8_E4M3' },
  fp8_e4m3fnuz: { bits: 8, kind: 'float', onnx: 18, safetensors: 'F8_E4M3FNUZ' },
  fp8_e5m2: { bits: 8, kind: 'float', onnx: 19, safetensors: 'F8_E5M2' },
  fp8_e5m2fnuz: { bits: 8, kind: 'float', onnx: 20, safetensors: 'F8_E5M2FNUZ' },
  fp8_e8m0: { bits: 8, kind: 'float', onnx: 24, safetensors: 'F8_E8M0' },
  fp6_e2m3: { bits: 6, kind: 'float', onnx: 27, safetensors: 'F6_E2M3' },
  fp6_e3m2: { bits: 6, kind: 'float', onnx: 28, safetensors: 'F6_E3M2' },
  fp4_e2m1: { bits: 4, kind: 'float', onnx: 23, safetensors: 'F4' },
  int64: { bits: 64, kind: 'int', onnx: 7, safetensors: 'I64' },
  int32: { bits: 32, kind: 'int', onnx: 6, safetensors: 'I32' },
  int16: { bits: 16, kind: 'int', onnx: 5, safetensors: 'I16' },
  int8: { bits: 8, kind: 'int', onnx: 3, safetensors: 'I8' },
  int4: { bits: 4, kind: 'int', onnx: 22, safetensors: undefined },
  int2: { bits: 2, kind: 'int', onnx: 26, safetensors: undefined },
  uint64: { bits: 64, kind: 'uint', onnx: 13, safetensors: 'U64' },
  uint32: { bits: 32, kind: 'uint', onnx: 12, safetensors: 'U32' },
  uint16: { bits: 16, kind: 'uint', onnx: 4, safetensors: 'U16' },
  uint8: { bits: 8, kind: 'uint', onnx: 2, safetensors: 'U8' },
  uint4: { bits: 4, kind: 'uint', onnx: 21, safetensors: undefined },
  uint2: { bits: 2, kind: 'uint', onnx: 25, safetensors: undefined },
  bool: { bits: 8, kind: 'bool', onnx: 9, safetensors: 'BOOL' },
  complex64: { bits: 64, kind: 'complex', onnx: 14, safetensors: 'C64' },
  complex128: { bits: 128, kind: 'complex', onnx: 15, safetensors: undefined },
  string: { bits: 0, kind: 'string', onnx: 8, safetensors: undefined },
} as const;

export type DType = keyof typeof dtypes;

const byOnnx = new Map<number, DType>();
const bySafetensors = new Map<string, DType>();
for (const [name, { onnx, safetensors }] of Object.entries(dtypes)) {
  if (onnx !== undefined) byOnnx.set(onnx, name as DType);
  if (safetensors !== undefined) bySafetensors.set(safetensors, name as DType);
}

/** The dtype of a TensorProto.DataType code; undefined for codes this table does not know. */
export const dtypeOfOnnx = (code: number): DType | undefined => byOnnx.get(code);

/** The dtype of the word in a safetensors header. */
export const dtypeOfSafetensors = (word: string): DType | undefined => bySafetensors.get(word);
