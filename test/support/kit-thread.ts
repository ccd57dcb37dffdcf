/** Worker threads with the kit, for what several threads share. */
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { workerEnd } from './worker-end.js';

const kitPath = path.join(__dirname, '../../lib/kit/index.js');

/** What a body gets; it is moved as source text, so it sees nothing of the file it stands in. */
export interface Here<Data> {
  kit: typeof import('vfio/kit');
  data: Data;
  say: (message: unknown) => void;
}

export interface Thread {
  readonly worker: Worker;
  /** What the body returned, or the promise it returned was resolved with; rejects with what it threw. */
  readonly result: Promise<unknown>;
}

export function thread<Data>(
  data: Data,
  body: (here: Here<Data>) => unknown,
  onMessage: (message: unknown) => void = () => undefined,
): Thread {
  const source = `
    const { parentPort, workerData } = require('node:worker_threads');
    const say = message => parentPort.postMessage({ message });
    const kit = require(workerData.kitPath);
    (async () => parentPort.postMessage({ result: await (${body.toString()})({ kit, data: workerData.data, say }) }))();`;
  const worker = new Worker(source, { eval: true, workerData: { kitPath, data } });
  let value: unknown;
  worker.on('message', (said: { message?: unknown; result?: unknown }) => {
    if ('result' in said) value = said.result;
    else onMessage(said.message);
  });
  return { worker, result: workerEnd(worker).then(() => value) };
}
