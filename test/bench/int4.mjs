// A section of the bench: BERT-base in blocks of 4 bits without text, beside onnxruntime's own tool, in turn; both read a file and write
// one. The tool leaves the tables as they are; here they are quantized too. Run alone: node test/bench/int4.mjs
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { makeBertBase } from './base-onnx.mjs';

const tool = `
import json, logging, resource, sys, time
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
logging.disable(logging.WARNING)
for line in sys.stdin:
    request = json.loads(line)
    start = time.perf_counter()
    quantizer = MatMulNBitsQuantizer(request["path"], bits=4, block_size=64, is_symmetric=False)
    quantizer.process()
    quantizer.model.save_model_to_file(request["out"], False)
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}), flush=True)
`;

export async function benchInt4(base, folder, runs, python) {
  const out = join(folder, 'int4.onnx');
  const worker = fileURLToPath(new URL('./worker.mjs', import.meta.url));
  const hasRival = spawnSync(python, ['-c', 'import onnx, onnxruntime.quantization.matmul_nbits_quantizer']).status === 0;
  if (!hasRival) console.log(`  no rival: ${python} has no onnx and onnxruntime`);
  const [ours, rivals] = [[], []];
  const once = async (command, args, request) => {
    rmSync(out, { force: true });
    const process_ = startLines(command, args);
    const answer = await process_.ask({ ...request, path: base, out });
    process_.stop();
    return { ...answer, bytes: statSync(out).size };
  };
  for (let run = 0; run < runs; run++) {
    ours.push(await once(process.execPath, [worker], { do: 'quantize', scheme: 'int4' }));
    if (hasRival) rivals.push(await once(python, ['-c', tool], {}));
  }
  rmSync(out, { force: true });
  row('headroom int4', ours);
  if (!hasRival) return;
  row("onnxruntime's MatMulNBitsQuantizer", rivals);
  const fastest = side => Math.min(...side.map(({ seconds }) => seconds));
  const ratio = (median(rivals) / median(ours)).toFixed(1);
  console.log(
    `  MatMulNBitsQuantizer / int4: ${ratio} (at least 5), of the fastest runs ${(fastest(rivals) / fastest(ours)).toFixed(1)}`,
  );
}

function median(side) {
  const sorted = side.map(({ seconds }) => seconds).sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

function row(name, side) {
  const seconds = side.map(it => it.seconds);
  const [least, most] = [Math.min(...seconds), Math.max(...seconds)].map(each => `${(1000 * each).toFixed(0)} ms`);
  const peak = Math.max(...side.map(({ peakBytes }) => peakBytes));
  console.log(`  ${name}: ${(1000 * median(side)).toFixed(0)} ms  [${least} to ${most}], peak ${mb(peak)}, ${mb(side[0].bytes)}`);
}

const mb = bytes => `${(bytes / 1e6).toFixed(0)} MB`;

/** A process that answers a line of JSON with a line of JSON. */
function startLines(command, args) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async request => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`${command} ended`);
    const answer = JSON.parse(value);
    if (answer.error) throw new Error(answer.error);
    return answer;
  };
  return { ask, stop: () => child.kill() };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.env.HEADROOM_BENCH_FOLDER ?? join(tmpdir(), 'headroom-bench');
  mkdirSync(folder, { recursive: true });
  const base = join(folder, 'bert-base.onnx');
  makeBertBase(base);
  console.log(`${cpus()[0].model}, ${cpus().length} processors, Node ${process.version}`);
  await benchInt4(base, folder, Number(process.env.HEADROOM_BENCH_RUNS ?? 5), process.env.HEADROOM_PYTHON ?? 'python3');
}
