/**
 * Counts on their way to one consumer that takes them with `next()`. There is never more to remember than one number:
 * what comes while nobody waits adds up.
 */
export class CountQueue implements AsyncIterableIterator<number> {
  #pending = 0;
  #failure: Error | undefined;
  #ended = false;
  readonly #waiting: PromiseWithResolvers<IteratorResult<number, undefined>>[] = [];
  /** Not set yet while the constructor runs: a queue that is over before it began ends nothing. */
  readonly #onEnd: (() => void) | undefined;
  readonly #signal: AbortSignal | undefined;

  constructor(signal: AbortSignal | undefined, onEnd: () => void) {
    this.#signal = signal;
    if (signal?.aborted === true) this.#abort();
    else signal?.addEventListener('abort', this.#abort, { once: true });
    this.#onEnd = onEnd;
  }

  get ended(): boolean {
    return this.#ended;
  }

  push(count: number): void {
    const first = this.#waiting.shift();
    if (first === undefined) this.#pending += count;
    else first.resolve({ value: count, done: false });
  }

  next(): Promise<IteratorResult<number, undefined>> {
    if (this.#pending > 0) {
      const value = this.#pending;
      this.#pending = 0;
      return Promise.resolve({ value, done: false });
    }
    if (this.#failure !== undefined) {
      const failure = this.#failure;
      this.#failure = undefined;
      return Promise.reject(failure);
    }
    if (this.#ended) return Promise.resolve({ value: undefined, done: true });
    const waiter = withResolvers<IteratorResult<number, undefined>>();
    this.#waiting.push(waiter);
    return waiter.promise;
  }

  /** The consumer has had enough. */
  return(): Promise<IteratorResult<number, undefined>> {
    this.#pending = 0;
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }

  /** No more will come: whoever waits gets the end. */
  end(): void {
    if (!this.#finish()) return;
    for (const waiter of this.#waiting.splice(0)) waiter.resolve({ value: undefined, done: true });
  }

  /** No more will come: whoever waits, or asks next, gets the error. */
  fail(error: Error): void {
    if (!this.#finish()) return;
    const first = this.#waiting.shift();
    if (first === undefined) this.#failure = error;
    else first.reject(error);
    for (const waiter of this.#waiting.splice(0)) waiter.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #finish(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#onEnd?.();
    return true;
  }

  /** The same error as Node's own: the reason is its cause. */
  readonly #abort = (): void => {
    const error = new Error('The operation was aborted', { cause: this.#signal?.reason });
    this.fail(Object.assign(error, { name: 'AbortError', code: 'ABORT_ERR' }));
  };
}

interface PromiseWithResolvers<T> {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: unknown) => void;
}

/** `Promise.withResolvers`, which Node 20 lacks. */
function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((ok, no) => {
    resolve = ok;
    reject = no;
  });
  return { promise, resolve, reject };
}
