/**
 * Loaded before everything else into each Node process and worker of a sanitized run: where the package asks for its
 * addon, it gets the one with the sanitizers. The package itself knows nothing of that.
 */
import { ChildProcess } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { variables } from './variables.js';

const { env } = process;
const load = process.dlopen.bind(process);
const addon = env[variables.addon] ?? '';
const directory = env[variables.directory];
const shipped = path.join(__dirname, '../../../../build/Release/vfio.node');

// A process started without the sanitizer's library, as by the blocking calls of child_process, has the plain addon.
const runtime = isMainThread ? env['LD_PRELOAD'] : env[variables.runtime];
const active = runtime !== undefined && (isMainThread || env[variables.process] === String(process.pid));

process.dlopen = (module: object, filename: string, ...flags: number[]) => {
  const replaced = active && filename === shipped;
  load(module, replaced ? addon : filename, ...(flags as [number?]));
  if (replaced && directory !== undefined) appendFileSync(path.join(directory, variables.loaded), '.');
};

// Only the process of the tests itself ends in the orderly way that makes everything not freed a leak: its children
// end by signals and exceptions, on purpose. What they tell goes to their standard error, where the tests look.
if (isMainThread && active) {
  Reflect.deleteProperty(env, variables.directory);
  const children = env[variables.children];
  if (children !== undefined) env['ASAN_OPTIONS'] = children;

  // Other programs go without it: not all survive ThreadSanitizer's library, the shell for one.
  Reflect.deleteProperty(env, 'LD_PRELOAD');
  env[variables.runtime] = runtime;
  env[variables.process] = String(process.pid);
  preloadIntoNode(`LD_PRELOAD=${runtime}`);
}

/** Has the children that are Node's start with a variable more. */
function preloadIntoNode(variable: string): void {
  type Spawn = (options: { file: string; envPairs: string[] }) => unknown;
  const prototype = ChildProcess.prototype as unknown as { spawn: Spawn };
  const { spawn } = prototype;
  prototype.spawn = function (this: unknown, options) {
    if (options.file === process.execPath) options.envPairs.push(variable);
    return spawn.call(this, options);
  };
}
