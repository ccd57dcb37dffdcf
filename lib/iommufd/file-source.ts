import type { EventEmitter } from 'node:events';
import { attempt } from '../errors/explain';
import { hold, listenToFile, release } from '../irq/dispatcher';
import type { FileHandle } from '../native-iommufd';

/** Waits for a file of the kernel's to become readable exactly while an emitter has listeners for an event. */
export class FileSource {
  #stop: (() => void) | undefined;
  readonly #update: (event: string | symbol) => void;
  readonly #emitter: EventEmitter;

  constructor(emitter: EventEmitter, event: string, file: FileHandle, onReadable: () => void) {
    this.#emitter = emitter;
    this.#update = changed => {
      if (changed !== event) return;
      // 'newListener' comes before the listener is there, 'removeListener' after it is gone.
      queueMicrotask(() => {
        const wanted = emitter.listenerCount(event) > 0;
        if (wanted && this.#stop === undefined) {
          this.#stop = attempt({ doing: 'Waiting on a file' }, () => listenToFile(file, onReadable));
          hold();
        } else if (!wanted) this.#end();
      });
    };
    emitter.on('newListener', this.#update);
    emitter.on('removeListener', this.#update);
  }

  close(): void {
    this.#emitter.off('newListener', this.#update);
    this.#emitter.off('removeListener', this.#update);
    this.#end();
  }

  #end(): void {
    if (this.#stop === undefined) return;
    this.#stop();
    this.#stop = undefined;
    release();
  }
}
