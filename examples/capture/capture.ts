/** Writes what a NIC receives to a file. */
import { type FileHandle, open } from 'node:fs/promises';
import { Burst, type Nic, RxLoop } from 'vfio/kit';
import { fileHeader, packetBytes, writePacket } from './pcapng.js';

const BURST = 64;
const SNAP_LENGTH = 65535;
/** Two of them: one is written to the file while the other is filled. */
const BUFFER = 1 << 20;

export class Capture {
  /** Frames in the file, or on their way to it. */
  frames = 0;
  /** Frames that came while both buffers were full: the disk is too slow. */
  dropped = 0;
  private readonly burst: Burst;
  private filling: Buffer = Buffer.alloc(BUFFER);
  private spare: Buffer | undefined = Buffer.alloc(BUFFER);
  private used = 0;
  private writing: Promise<void> = Promise.resolve();
  private failure: unknown;

  private constructor(
    private readonly nic: Nic,
    private readonly file: FileHandle,
    private readonly limit: number,
  ) {
    this.burst = new Burst(nic.pool.arena, BURST);
  }

  /** Captures into a new file until `signal` is aborted or `limit` frames were captured. Returns what there was. */
  static async run(nic: Nic, path: string, limit: number, signal: AbortSignal): Promise<Capture> {
    await using file = await open(path, 'w');
    await file.write(fileHeader(nic.name, SNAP_LENGTH));
    const capture = new Capture(nic, file, limit);
    await capture.loop(signal);
    return capture;
  }

  private async loop(signal: AbortSignal): Promise<void> {
    const enough = new AbortController();
    const loop = new RxLoop(this.nic, () => {
      const count = this.store();
      if (this.frames >= this.limit || this.failure !== undefined) enough.abort();
      return count;
    });
    try {
      await loop.run(AbortSignal.any([signal, enough.signal]));
    } finally {
      await this.writing;
      if (this.failure === undefined) await this.file.write(this.filling, 0, this.used);
    }
    if (this.failure !== undefined) throw this.failure as Error;
  }

  private store(): number {
    const { burst, nic } = this;
    const { pool } = nic;
    const count = nic.rxBurst(burst, Math.min(BURST, Math.max(1, this.limit - this.frames)));
    if (count === 0) return 0;
    // One time for the burst: between its frames nobody looked at the clock.
    const time = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e6));
    const [high, low] = [Number(time >> 32n), Number(time & 0xffff_ffffn)];
    for (let i = 0; i < count; i++) {
      const [handle, length] = [burst.handle(i), burst.length(i)];
      if (this.hasRoom(packetBytes(length))) {
        this.used = writePacket(this.filling, this.used, pool.arena.u8, handle, length, high, low);
        this.frames++;
      } else this.dropped++;
      pool.give(handle);
    }
    // While little comes, the file is up to date.
    if (count < BURST) this.flush();
    return count;
  }

  private hasRoom(bytes: number): boolean {
    if (this.used + bytes > this.filling.length) this.flush();
    return this.used + bytes <= this.filling.length;
  }

  /** Writes what there is, unless the last is still being written. */
  private flush(): void {
    const next = this.spare;
    if (next === undefined || this.used === 0) return;
    const [full, bytes] = [this.filling, this.used];
    this.spare = undefined;
    this.filling = next;
    this.used = 0;
    this.writing = this.file.write(full, 0, bytes).then(
      () => {
        this.spare = full;
      },
      (error: unknown) => {
        this.failure = error;
      },
    );
  }
}
