import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { LabError } from './error.js';
import { InputPump } from './input-pump.js';
import { encodeFrame, encodeRun, type Frame, FrameReader, type RunRequest } from './protocol.js';

/** The streams and the request of one command. */
export interface ExecOptions extends RunRequest {
  /** Without it the command finds its input at an end. */
  stdin?: Readable | undefined;
  stdout: Writable;
  stderr: Writable;
}

/** How a command in the guest ended; `exitCode` is 128 plus the number for a signal, as in a shell. */
export interface ExecResult {
  exitCode: number;
  signal?: number;
}

/** The host's end of the port to the guest's agent (lab/guest/agent.c). */
export class Channel {
  /** Settles when the agent says that it is there. */
  readonly ready: Promise<void>;
  readonly #socket: Socket;
  readonly #reader = new FrameReader();
  readonly #waiting: { type: string; resolve: (data: Buffer) => void; reject: (error: Error) => void }[] = [];
  #failure: Error | undefined;
  #running: ExecOptions | undefined;
  #input: InputPump | undefined;
  /** Those that take no more for now. */
  readonly #full = new Set<Writable>();

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (data: Buffer) => {
      for (const frame of this.#reader.push(data)) this.#handle(frame);
    });
    // That the other end is gone is told by QEMU's exit, which knows more.
    socket.on('error', () => undefined);
    this.ready = this.#next('Y').then(() => undefined);
  }

  /** Runs one command to its end. Everything that it wrote has been handed on when the promise settles. */
  async exec(options: ExecOptions): Promise<ExecResult> {
    if (this.#running) throw new LabError('a command is running in this machine already');
    this.#running = options;
    try {
      const ended = this.#next('X');
      this.#socket.write(encodeRun(options));
      this.#input = new InputPump(options.stdin, frame => this.#socket.write(frame));
      return parseEnd((await ended).toString());
    } finally {
      this.#input?.stop();
      this.#input = undefined;
      this.#running = undefined;
    }
  }

  /** Gives the running command's terminal a new size. */
  resize(rows: number, columns: number): void {
    this.#socket.write(encodeFrame('W', `${rows} ${columns}`));
  }

  /** Sends a signal to the running command and its process group. */
  kill(signal: number): void {
    this.#socket.write(encodeFrame('K', String(signal)));
  }

  /** Ends every wait with an error: the machine is gone. */
  fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
    this.#socket.destroy();
  }

  #next(type: string): Promise<Buffer> {
    const result = new Promise<Buffer>((resolve, reject) => {
      if (this.#failure) reject(this.#failure);
      else this.#waiting.push({ type, resolve, reject });
    });
    // Whoever waits hears of the failure; nobody waiting is no reason to crash.
    result.catch(() => undefined);
    return result;
  }

  #handle({ type, data }: Frame): void {
    if (type === 'O') this.#passOn(this.#running?.stdout, data);
    else if (type === 'F') this.#passOn(this.#running?.stderr, data);
    else if (type === 'A') this.#input?.acknowledge(data.readUInt32LE(0));
    else {
      const index = this.#waiting.findIndex(waiting => waiting.type === type);
      if (index >= 0) this.#waiting.splice(index, 1)[0]?.resolve(data);
    }
  }

  /** A slow reader stops the whole channel, and by it the command, instead of filling memory. */
  #passOn(stream: Writable | undefined, data: Buffer): void {
    if (!stream || stream.destroyed || stream.write(data)) return;
    // What had arrived before the pause still comes, and finds the stream full again.
    if (this.#full.has(stream)) return;
    this.#full.add(stream);
    this.#socket.pause();
    const resume = (): void => {
      stream.off('drain', resume).off('close', resume);
      this.#full.delete(stream);
      if (this.#full.size === 0) this.#socket.resume();
    };
    stream.on('drain', resume).on('close', resume);
  }
}

function parseEnd(text: string): ExecResult {
  const [how, number] = text.split(' ');
  return how === 'signal'
    ? { exitCode: 128 + Number(number), signal: Number(number) }
    : { exitCode: Number(number) };
}
