/**
 * The frames that host and guest exchange over the virtio-serial port; lab/guest/agent.c is the other end and says
 * what each type means.
 */
export interface Frame {
  type: string;
  data: Buffer;
}

/** How much input may be under way that the command has not taken yet (INPUT_WINDOW in agent.c). */
export const inputWindow = 262144;

/** The largest piece of input sent in one frame. */
export const inputChunk = 32768;

const headerBytes = 5;

export function encodeFrame(type: string, data: Buffer | string = ''): Buffer {
  const body = Buffer.from(data as string);
  const header = Buffer.alloc(headerBytes);
  header.write(type, 'latin1');
  header.writeUInt32LE(body.length, 1);
  return Buffer.concat([header, body]);
}

/** What to run and how; the payload of an 'R' frame. */
export interface RunRequest {
  argv: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string>>;
  /** The window's size when the command is to have a terminal. */
  tty?: { rows: number; columns: number } | undefined;
}

export function encodeRun({ argv, cwd, env, tty }: RunRequest): Buffer {
  const strings = [
    tty ? 'tty' : 'pipe',
    String(tty?.rows ?? 0),
    String(tty?.columns ?? 0),
    cwd,
    String(argv.length),
    ...argv,
    ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
  ];
  const bad = strings.find(text => text.includes('\0'));
  if (bad !== undefined) throw new RangeError(`an argument holds a NUL character: ${JSON.stringify(bad)}`);
  return encodeFrame('R', strings.map(text => `${text}\0`).join(''));
}

/** Cuts a stream of bytes into frames. */
export class FrameReader {
  #pending: Buffer = Buffer.alloc(0);

  /** Takes the bytes that arrived and returns the frames that they complete. */
  push(data: Buffer): Frame[] {
    this.#pending = this.#pending.length === 0 ? data : Buffer.concat([this.#pending, data]);
    const frames: Frame[] = [];
    for (;;) {
      if (this.#pending.length < headerBytes) break;
      const end = headerBytes + this.#pending.readUInt32LE(1);
      if (this.#pending.length < end) break;
      frames.push({
        type: this.#pending.toString('latin1', 0, 1),
        data: this.#pending.subarray(headerBytes, end),
      });
      this.#pending = this.#pending.subarray(end);
    }
    return frames;
  }
}
