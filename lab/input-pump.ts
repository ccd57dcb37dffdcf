import type { Readable } from 'node:stream';
import { encodeFrame, inputChunk, inputWindow } from './protocol.js';

/**
 * Hands a stream to the guest as the running command's standard input, never more at a time than the agent has room
 * for. The stream is left as it is when the command ends before it: it belongs to the caller.
 */
export class InputPump {
  readonly #send: (frame: Buffer) => void;
  readonly #stdin: Readable | undefined;
  readonly #onData = (data: Buffer | string): void => this.#take(Buffer.from(data as string));
  readonly #onEnd = (): void => this.#finish();
  #waiting: Buffer[] = [];
  #credit = inputWindow;
  #ended = false;

  constructor(stdin: Readable | undefined, send: (frame: Buffer) => void) {
    this.#send = send;
    this.#stdin = stdin;
    if (!stdin || stdin.readableEnded || stdin.destroyed) this.#finish();
    // Input that breaks off ends where it broke.
    else
      stdin.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onEnd).on('close', this.#onEnd);
  }

  /** The command has taken this many bytes. */
  acknowledge(bytes: number): void {
    this.#credit += bytes;
    this.#flush();
    if (this.#waiting.length === 0) this.#stdin?.resume();
  }

  /** The command is over; nobody takes input any more. */
  stop(): void {
    const stdin = this.#stdin;
    stdin
      ?.off('data', this.#onData)
      .off('end', this.#onEnd)
      .off('error', this.#onEnd)
      .off('close', this.#onEnd);
    stdin?.pause();
  }

  #take(data: Buffer): void {
    this.#waiting.push(data);
    this.#flush();
    if (this.#waiting.length > 0) this.#stdin?.pause();
  }

  #flush(): void {
    for (let data = this.#waiting[0]; data && this.#credit > 0; data = this.#waiting[0]) {
      const piece = data.subarray(0, Math.min(inputChunk, this.#credit));
      this.#credit -= piece.length;
      this.#send(encodeFrame('I', piece));
      if (piece.length === data.length) this.#waiting.shift();
      else this.#waiting[0] = data.subarray(piece.length);
    }
    if (this.#ended && this.#waiting.length === 0) {
      this.#ended = false;
      this.#send(encodeFrame('E'));
    }
  }

  #finish(): void {
    // Each of end, error and close may come; the first one counts.
    this.stop();
    this.#ended = true;
    this.#flush();
  }
}
