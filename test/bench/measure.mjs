// What the sections of the bench have in common: rows of times, claims with their bars, processes and their peaks.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

export const ms = seconds => (seconds < 1 ? `${(1000 * seconds).toFixed(1)} ms` : `${seconds.toFixed(2)} s`);
export const mb = bytes => `${(bytes / 1e6).toFixed(1)} MB`;

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

export const secondsOf = results => median(results.map(it => it.seconds));

/** The run in the middle, and the fastest and the slowest. */
export function row(name, results, describe = it => ms(it.seconds)) {
  const middle = results.find(it => it.seconds === secondsOf(results));
  const [low, high] = [Math.min(...results.map(it => it.seconds)), Math.max(...results.map(it => it.seconds))];
  console.log(`  ${name}: ${describe(middle)}  [${ms(low)} to ${ms(high)}]`);
}

const claims = [];

/** A number and its bar, { least } or { most }; without one it is told and claims nothing. */
export function claim(what, value, bar = {}, shown = number => number.toFixed(2)) {
  const { least, most } = bar;
  const said = least !== undefined ? `at least ${shown(least)}` : most !== undefined ? `at most ${shown(most)}` : '';
  const isReached = !(value < least) && !(value > most);
  console.log(`  ${what}: ${shown(value)}${said && ` (${said})`}`);
  if (said) claims.push({ what, bar: said, measured: shown(value), isReached });
}

/** Median times of one side by those of the other. */
export const ratio = (what, a, b, bar) => claim(what, secondsOf(a) / secondsOf(b), bar);

/** All claims, a line each. */
export function printClaims() {
  if (claims.length === 0) return;
  const widths = ['what', 'bar', 'measured'].map(key => Math.max(key.length, ...claims.map(it => it[key].length)));
  const line = (...cells) => cells.map((cell, i) => (i < 3 ? cell.padEnd(widths[i]) : cell)).join(' | ');
  console.log(`\n${line('what', 'bar', 'measured', 'reached')}`);
  console.log(line(...widths.map(width => '-'.repeat(width)), '-------'));
  for (const { what, bar, measured, isReached } of claims) console.log(line(what, bar, measured, isReached ? 'yes' : 'no'));
}

/** What decides how fast integers are multiplied. */
export function processorHas() {
  try {
    const flags = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1].split(' ') ?? [];
    const found = ['avx2', 'avx512bw', 'avx_vnni', 'avx512_vnni', 'amx_int8'].filter(flag => flags.includes(flag));
    return found.length > 0 ? found.join(', ') : 'none of AVX2, AVX-512, VNNI, AMX';
  } catch {
    return 'unknown extensions';
  }
}

/** The most memory a running process has had, by what Linux says of it alone: getrusage counts what its parent had. */
export function peakOf(pid) {
  try {
    return 1024 * Number(/^VmHWM:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
  } catch {
    return undefined;
  }
}

/** A process that answers a line of JSON with a line of JSON, in order. Answers get its peak where the system tells it. */
export function startLines(command, args, env = process.env) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
  const waiting = [];
  createInterface({ input: child.stdout }).on('line', line => {
    const answer = JSON.parse(line);
    if (typeof answer.error === 'string') waiting.shift().reject(new Error(answer.error));
    else waiting.shift().resolve({ ...answer, peakBytes: peakOf(child.pid) ?? answer.peakBytes });
  });
  child.on('exit', code => {
    for (const it of waiting.splice(0)) it.reject(new Error(`${command} ended with ${code}`));
  });
  const ask = request =>
    new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
      child.stdin.write(`${JSON.stringify(request)}\n`);
    });
  return { ask, stop: () => child.kill() };
}
