/** A worker that adopts what it is given, and does with it what it is told. */
import type { Worker } from 'node:worker_threads';
import type { DmaBuffer, IrqVector, Mapping, Shared } from '../../lib/index.js';
import { createWorker } from './processes.js';

/** What is shared with a worker; each may be missing. */
export interface Tokens {
  mapping?: Shared<Mapping>;
  buffer?: Shared<DmaBuffer>;
  vector?: Shared<IrqVector>;
}

/** What a worker has of it, and `kept`, which it may keep things in from one order to the next. */
export interface Adopted {
  mapping: Mapping;
  buffer: DmaBuffer;
  vector: IrqVector;
  vfio: typeof import('../../lib/index.js');
  native: import('../../lib/native.js').NativeAddon;
  kept: Record<string, unknown>;
}

/** How an order ended that threw. */
export interface Refused {
  code: unknown;
  message: string;
}

interface Answer {
  id: number;
  value?: unknown;
  refused?: Refused;
}

export class Adopter implements AsyncDisposable {
  readonly worker: Worker;
  readonly ended: Promise<number>;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #next = 0;

  private constructor() {
    const { worker, ended } = createWorker(({ vfio, native, require }) => {
      const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
      const adopted: Record<string, unknown> = { vfio, native, kept: {} };
      const obey = async ({ id, tokens, order, data }: Record<string, unknown>): Promise<void> => {
        try {
          for (const [name, token] of Object.entries(tokens as object))
            adopted[name] = vfio.adopt(token as Shared<Mapping>);
          // Moved as source text, as the body of a worker is.
          const run = eval(`(${order as string})`) as (adopted: unknown, data: unknown) => unknown;
          parentPort?.postMessage({ id, value: await run(adopted, data) });
        } catch (error) {
          const { code, message } = error as Error & { code?: unknown };
          parentPort?.postMessage({ id, refused: { code, message } });
        }
      };
      parentPort?.on('message', (order: Record<string, unknown>) => void obey(order));
    }, null);
    this.worker = worker;
    this.ended = ended;
    worker.on('message', (answer: Answer) => this.#waiting.get(answer.id)?.(answer));
  }

  /** @throws what `adopt()` threw there, as a {@link Refused} */
  static async start(tokens: Tokens): Promise<Adopter> {
    const adopter = new Adopter();
    try {
      await adopter.adopt(tokens);
      return adopter;
    } catch (error) {
      await adopter.worker.terminate();
      throw error;
    }
  }

  get threadId(): number {
    return this.worker.threadId;
  }

  /** Adopts more. */
  async adopt(tokens: Tokens): Promise<void> {
    await this.#post(tokens, () => undefined, null);
  }

  /** Runs `order` there; it sees nothing of the file it stands in. Throws a {@link Refused}. */
  run<R, Data>(order: (adopted: Adopted, data: Data) => R, data: Data): Promise<Awaited<R>>;
  run<R>(order: (adopted: Adopted) => R): Promise<Awaited<R>>;
  run(order: (...given: never[]) => unknown, data?: unknown): Promise<unknown> {
    return this.#post({}, order, data);
  }

  #post(tokens: Tokens, order: (...given: never[]) => unknown, data: unknown): Promise<unknown> {
    const id = this.#next++;
    const answered = new Promise<Answer>(resolve => this.#waiting.set(id, resolve));
    this.worker.postMessage({ id, tokens, order: order.toString(), data });
    const lost = this.ended.then((code): never => {
      throw new Error(`The worker ended with exit code ${code} before it answered`);
    });
    return Promise.race([answered, lost]).then(({ value, refused }) => {
      this.#waiting.delete(id);
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- what is left of an error that crossed a thread
      if (refused !== undefined) throw refused;
      return value;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.worker.terminate();
  }
}
