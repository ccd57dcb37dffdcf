/** A dpdk-testpmd, and what it says about its rates. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import type { Readable } from 'node:stream';

/** Seconds between two of its reports; the first one is over the time before anything was sent. */
const PERIOD = 1;

export interface TestpmdOptions {
  mode: 'txonly' | 'rxonly' | 'io';
  ports: readonly string[];
  /** DPDK's names of logical cores on processors; the first has the control, the second the packets. */
  lcores: string;
  /** Tells several processes apart. */
  prefix: string;
}

export class Testpmd implements AsyncDisposable {
  readonly #process: ChildProcessByStdio<null, Readable, null>;
  readonly #lines: Interface;

  constructor({ mode, ports, lcores, prefix }: TestpmdOptions) {
    const own = ['--lcores', lcores, ...ports.flatMap(port => ['-a', port]), '--file-prefix', prefix];
    const more = ['-m', '64', '--iova-mode=va', '--no-telemetry'];
    const application = [`--forward-mode=${mode}`, '--total-num-mbufs=4096', '--no-mlockall'];
    const reports = ['--stats-period', String(PERIOD)];
    const first = mode === 'io' ? ['--tx-first'] : [];
    this.#process = spawn('dpdk-testpmd', [...own, ...more, '--', ...application, ...reports, ...first], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#lines = createInterface({ input: this.#process.stdout });
  }

  /** The frames per second of all ports together, report by report, from the first on in which there were any. */
  async *rates(direction: 'Rx' | 'Tx', ports: number): AsyncGenerator<number> {
    const pattern = new RegExp(`${direction}-pps:\\s+(\\d+)`);
    let sum = 0;
    let port = 0;
    let going = false;
    for await (const line of this.#lines) {
      const rate = pattern.exec(line)?.[1];
      if (rate === undefined) continue;
      sum += Number(rate);
      if (++port < ports) continue;
      // The first rate is over a time in which it was only starting.
      if (going) yield sum;
      going = sum > 0;
      [sum, port] = [0, 0];
    }
    throw new Error('dpdk-testpmd ended by itself');
  }

  async stop(): Promise<void> {
    const { exitCode } = this.#process;
    const ended = exitCode === null ? once(this.#process, 'exit') : undefined;
    this.#process.kill('SIGINT');
    await ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** One that sends without a pause on the second processor, once it does. */
export async function startSender(port: string): Promise<Testpmd> {
  const sender = new Testpmd({ mode: 'txonly', ports: [port], lcores: '0@1,1@1', prefix: 'sender' });
  try {
    await sender.rates('Tx', 1).next();
    return sender;
  } catch (error) {
    await sender[Symbol.asyncDispose]();
    throw error;
  }
}
