/**
 * Runs a piece of a test in a process or a worker of its own: what happens when an environment ends, or when the
 * garbage collector runs, can only be seen from outside.
 */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { workerEnd } from './worker-end';
import type { NativeAddon } from '../../lib/native';

/** What a body gets. It is moved as source text, so it sees nothing of the file it stands in. */
export interface Kit {
  native: NativeAddon;
  vfio: typeof import('../../lib/index');
  require: NodeJS.Require;
  /** What a worker of its own can `require`: `require(library).native()`. */
  library: string;
}
export type Body<Data> = (kit: Kit, data: Data) => unknown;

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface ProcessOptions {
  /** For node itself: `--expose-gc`. */
  nodeArgs?: string[];
  env?: NodeJS.ProcessEnv;
  /** Killed after that, which shows as the signal SIGKILL. */
  timeoutMs?: number;
}

/** Both modules are loaded when first asked for: a body that wants one must not load the other. */
function program<Data>(body: Body<Data>, data: Data): string {
  const library = path.join(__dirname, '..', '..', 'lib');
  return `
    const { createRequire } = require('node:module');
    const library = createRequire(${JSON.stringify(`${library}${path.sep}`)});
    const kit = {
      get native() { return library('./native').native(); },
      get vfio() { return library('./index'); },
      require,
      library: library.resolve('./native'),
    };
    (${body.toString()})(kit, ${JSON.stringify(data) as string | undefined});`;
}

/** Resolves when the process has ended and its output is complete. */
export function createProcess<Data>(
  body: Body<Data>,
  data: Data,
  options: ProcessOptions = {},
): Promise<Ended> {
  const { nodeArgs = [], env = {}, timeoutMs = 60_000 } = options;
  const child = spawn(process.execPath, [...nodeArgs, '-e', program(body, data)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

export interface RunningWorker {
  worker: Worker;
  /** The next message the body posts with `parentPort`; rejects when the worker ends or fails first. */
  message: () => Promise<unknown>;
  /** The exit code; rejects with what the body threw. */
  ended: Promise<number>;
}

export function createWorker<Data>(body: Body<Data>, data: Data): RunningWorker {
  const worker = new Worker(program(body, data), { eval: true });
  const ended = workerEnd(worker);
  ended.catch(() => undefined);
  const early = ended.then(code => {
    throw new Error(`The worker ended with exit code ${code} before it posted anything`);
  });
  early.catch(() => undefined);
  const message = () => Promise.race([new Promise(resolve => worker.once('message', resolve)), early]);
  return { worker, message, ended };
}
