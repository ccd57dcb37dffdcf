/** `npm run fuzz`: calls of the whole public API, with all kinds of arguments, in all orders. See `usage`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import * as readline from 'node:readline';
import { packageRoot, temporaryRoot } from '../../lab/paths.js';
import { progressOn } from '../../lab/progress.js';
import { bootLab, guestOutDirectory, type Lab } from '../../lab/run.js';
import { despiteDeadQemu } from '../support/despite-dead-qemu.js';
import { storeVerdict } from '../support/runner/verdict.js';
import { readApi } from './api.js';
import { parseOptions, runProgram } from '../support/runner/program.js';

const usage = `usage: npm run fuzz -- [OPTIONS]

Makes calls of everything that the package exports, with arguments of every kind, valid ones, wrong ones and malicious
ones, in any order, with system calls that fail and closes in between. Nothing may crash or be left open, and whatever
is refused must be refused by a typed error. The same seed makes the same calls.

  --calls N       how many (default: 100000, in the lab 20000)
  --seed N        where to begin (default: another one each time)
  --lab           in the lab's virtual machine, on devices; without it on what this machine has: files stand for devices
  --profile NAME  that machine of the lab (default: stock)
  --trace         print each call before it is made
  --help          show this text
`;

interface Options {
  calls: number;
  seed: number;
  profile: string | undefined;
  trace: boolean;
}

/** What came of the calls: how many were made, and the session that went wrong. */
interface Result {
  made: number;
  code: number | null;
  signal: string | undefined;
  session: { seed: number; made: number } | undefined;
  violation: boolean;
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === undefined) {
    process.stdout.write(usage);
    return 0;
  }
  const directory = mkdtempSync(path.join(temporaryRoot(), 'vfio-fuzz-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  const api = readApi(path.join(packageRoot, 'dist/lib'));
  writeFileSync(path.join(directory, 'api.json'), JSON.stringify(api));
  const members = Object.values(api.classes).reduce(
    (n, one) => n + one.methods.length + one.getters.length + one.statics.length,
    0,
  );
  console.log(
    `fuzz: ${options.calls} calls from seed ${options.seed}, of ${api.functions.length} functions and ${members} members of ${Object.keys(api.classes).length} classes`,
  );
  return despiteDeadQemu(
    () => fuzz(options, directory),
    text => process.stderr.write(text),
  );
}

/** Tries it, in a process of its own or a machine, and says what came of it. */
async function fuzz(options: Options, directory: string): Promise<number> {
  await using lab =
    options.profile === undefined
      ? undefined
      : await bootLab(
          { profile: options.profile, outDir: directory, progress: progressOn(process.stderr) },
          packageRoot,
        );
  const start = performance.now();
  const result = await run(options, directory, lab);
  const place = lab === undefined ? '' : ` in the lab's ${lab.profile.name}`;
  storeVerdict('fuzz', `${options.calls} calls`, result.code === 0, performance.now() - start, place);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (result.code === 0) {
    console.log(
      `fuzz: ${result.made} calls in ${seconds} s: no crash, no leak, every refusal typed (seed ${options.seed})`,
    );
    return 0;
  }
  const { seed } = result.session ?? options;
  const where = options.profile === undefined ? '' : ` --lab --profile ${options.profile}`;
  const again = `npm run fuzz -- --seed ${seed} --calls 2000${where} --trace`;
  if (!result.violation && !options.trace) {
    console.log(
      `fuzz: the process died (${result.signal ?? `exit code ${result.code}`}) in session ${seed}; its calls:`,
    );
    await run({ ...options, seed, calls: 2000, trace: true }, directory, lab);
  }
  console.log(
    `fuzz: failed after ${result.session?.made ?? 0} calls, in the session of seed ${seed}. Once more: ${again}`,
  );
  return 1;
}

async function run(options: Options, directory: string, lab: Lab | undefined): Promise<Result> {
  const result: Result = { made: 0, code: null, signal: undefined, session: undefined, violation: false };
  const at = lab === undefined ? directory : guestOutDirectory;
  const argv = [
    '--expose-gc',
    '--enable-source-maps',
    path.join(packageRoot, 'dist/test/fuzz/child.js'),
    path.join(at, 'api.json'),
    lab === undefined ? 'host' : 'lab',
    String(options.seed),
    String(options.calls),
    ...(options.trace ? ['--trace'] : []),
  ];
  if (lab === undefined) {
    const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
    process.once('exit', () => child.kill('SIGKILL'));
    const read = watch(child.stdout, result, options.trace);
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    await read;
    return { ...result, code, signal: signal ?? undefined };
  }
  const stdout = new PassThrough();
  const read = watch(stdout, result, options.trace);
  const { exitCode, signal } = await lab.run({ argv: [process.execPath, ...argv], cwd: packageRoot, stdout });
  stdout.end();
  await read;
  return { ...result, code: exitCode, signal: signal === undefined ? undefined : String(signal) };
}

/** Prints what the child prints, save for what it tells this process; of a trace the end. */
async function watch(output: Readable, result: Result, trace: boolean): Promise<void> {
  for await (const line of readline.createInterface({ input: output })) {
    const [, word, first = '', second = ''] = /^@(\w+) (\d+) ?(\d*)$/.exec(line) ?? [];
    if (word === 'session') result.session = { seed: Number(first), made: Number(second) };
    else if (word === 'done') result.made = Number(first);
    else if (word === 'violation') result.violation = true;
    else if (word === undefined || trace) console.log(line);
  }
}

/** @throws RangeError for a command line that makes no sense */
function readOptions(words: readonly string[]): Options | undefined {
  const values = parse(words);
  if (values.help === true) return undefined;
  const lab = values.lab === true || values.profile !== undefined;
  return {
    calls: wholeNumber(values.calls ?? (lab ? '20000' : '100000'), '--calls'),
    seed: wholeNumber(values.seed ?? String(Date.now() % 1_000_000_000), '--seed'),
    profile: lab ? (values.profile ?? 'stock') : undefined,
    trace: values.trace === true,
  };
}

function parse(words: readonly string[]) {
  return parseOptions(words, {
    help: { type: 'boolean' },
    lab: { type: 'boolean' },
    trace: { type: 'boolean' },
    profile: { type: 'string' },
    calls: { type: 'string' },
    seed: { type: 'string' },
  });
}

function wholeNumber(text: string, option: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new RangeError(`${option} needs a whole number, not ${text}`);
  return Number(text);
}

runProgram('fuzz', usage, main);
