import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import type { Writable } from 'node:stream';

const lines = 25;

/** The guest kernel's console, which QEMU writes into a file: kept for the case of a failure, and shown live on request. */
export class ConsoleLog {
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #fd: number;
  readonly #watcher: Writable | undefined;

  constructor(
    readonly file: string,
    watcher?: Writable,
  ) {
    this.#fd = openSync(file, 'w+');
    this.#watcher = watcher;
    if (watcher) this.#timer = setInterval(() => this.#passOn(), 100);
  }

  /** All there is. */
  text(): string {
    return readFileSync(this.file, 'utf8');
  }

  /** The last lines, as far as there are any. */
  tail(): string {
    return this.text().replaceAll('\r', '').trimEnd().split('\n').slice(-lines).join('\n');
  }

  close(): void {
    clearInterval(this.#timer);
    this.#passOn();
    closeSync(this.#fd);
  }

  #passOn(): void {
    const buffer = Buffer.alloc(65536);
    // Without a position a read continues where the last one ended.
    for (let n = 1; this.#watcher && n > 0;) {
      n = readSync(this.#fd, buffer);
      if (n > 0) this.#watcher.write(Buffer.from(buffer.subarray(0, n)));
    }
  }
}
