/**
 * Loaded before everything else into each Node process and worker of a sanitized run: where the package asks for its
 * addon, it gets the one with the sanitizers. The package itself knows nothing of that.
 */
import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { variables } from './variables.js';

const load = process.dlopen.bind(process);
const addon = process.env[variables.addon] ?? '';
const directory = process.env[variables.directory];
const shipped = path.join(__dirname, '../../../../build/Release/vfio.node');

process.dlopen = (module: object, filename: string, ...flags: number[]) => {
  const replaced = filename === shipped;
  load(module, replaced ? addon : filename, ...(flags as [number?]));
  if (replaced && directory !== undefined) appendFileSync(path.join(directory, variables.loaded), '.');
};

// Only the process of the tests itself ends in the orderly way that makes everything not freed a leak: its children
// end by signals and exceptions, on purpose. What they tell goes to their standard error, where the tests look.
if (isMainThread) {
  Reflect.deleteProperty(process.env, variables.directory);
  const children = process.env[variables.children];
  if (children !== undefined) process.env['ASAN_OPTIONS'] = children;
}
