/**
 * How long a polling forwarder is away from its rings: the time from one poll to the next. Compare bench/c/pauses.c.
 *
 *     pauses.js loop|worker SECONDS
 *
 * `worker`: it polls in a worker, while the event loop of the main thread is busy for a part of every millisecond. `loop`:
 * it polls on that very event loop and shares it.
 */
import { Worker, isMainThread, workerData } from 'node:worker_threads';
import { Arena, BufferPool, busyPoll, Forwarder, RxLoop, StopFlag, type RxSource } from 'vfio/kit';
import { plainVector } from './plain-vector.js';
import { ModelNic, TOUCHED } from './nic-model.js';
import { now, quantile, reportValue, spin } from './report.js';

const BATCH = 32;
const MAX_GAPS = 1 << 23;
const PERIOD_MS = 1;
const BUSY_NS = 200_000;

/** One poll, and the time since the last one. */
class Polls {
  readonly #gaps = new Float64Array(MAX_GAPS);
  readonly #nic: ModelNic;
  readonly #forwarder: Forwarder;
  #count = 0;
  #last = 0;

  constructor() {
    const pool = new BufferPool(new Arena(16 << 20), { count: 2048 });
    this.#nic = new ModelNic(pool);
    this.#forwarder = new Forwarder(this.#nic.rx, this.#nic.tx, [{ kind: 'add', at: TOUCHED, value: 1 }]);
  }

  readonly once = (): number => {
    const count = this.#forwarder.forward(BATCH);
    if (count === 0) this.#nic.refill();
    const time = performance.now();
    this.#gaps[this.#count & (MAX_GAPS - 1)] = 1e6 * (time - this.#last);
    this.#count++;
    this.#last = time;
    return 1;
  };

  /** Begins anew, warm. */
  reset(): void {
    this.#count = 0;
    this.#last = performance.now();
  }

  report(): void {
    const gaps = this.#gaps.subarray(0, Math.min(this.#count, MAX_GAPS));
    reportValue('p50', quantile(gaps, 0.5), gaps.length);
    reportValue('p999', quantile(gaps, 0.999), gaps.length);
    reportValue('p9999', quantile(gaps, 0.9999), gaps.length);
    reportValue('max', quantile(gaps, 1), gaps.length);
  }
}

function beBusy(): NodeJS.Timeout {
  return setInterval(() => spin(BUSY_NS), PERIOD_MS);
}

/** Some polls, so that all is compiled. */
function warmUp(polls: Polls): void {
  const end = now() + 3e8;
  while (now() < end) for (let i = 0; i < 1000; i++) polls.once();
  polls.reset();
}

async function onTheLoop(seconds: number): Promise<void> {
  const polls = new Polls();
  const stop = new AbortController();
  const source: RxSource = {
    name: 'model',
    closed: false,
    rxPending: true,
    rxVector: plainVector(true),
    armRxInterrupt: () => undefined,
    disarmRxInterrupt: () => undefined,
  };
  warmUp(polls);
  const timer = beBusy();
  setTimeout(() => stop.abort(), seconds * 1000);
  await new RxLoop(source, polls.once, { idlePolls: Infinity, sliceMicroseconds: 200 }).run(stop.signal);
  clearInterval(timer);
  polls.report();
}

function inAWorker(seconds: number): void {
  const flag = new StopFlag();
  const worker = new Worker(__filename, { workerData: flag.buffer });
  const timer = beBusy();
  setTimeout(() => flag.stop(), seconds * 1000 + 500);
  worker.once('exit', () => clearInterval(timer));
}

function worker(flag: StopFlag): void {
  const polls = new Polls();
  warmUp(polls);
  busyPoll(flag, polls.once);
  polls.report();
}

const [where, seconds = '1'] = process.argv.slice(2);
if (!isMainThread) worker(new StopFlag(workerData as SharedArrayBuffer));
else if (where === 'worker') inAWorker(Number(seconds));
else if (where === 'loop') void onTheLoop(Number(seconds));
else throw new RangeError('usage: pauses.js loop|worker SECONDS');
