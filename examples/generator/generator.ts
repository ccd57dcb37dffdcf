/**
 * Sends numbered datagrams, as fast as the NIC takes them or at a rate.
 *
 * The headers are the same in every frame, so they are written once into each buffer of the pool that comes up, and only the
 * number afterwards: a buffer that was sent comes back as it was.
 */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { Burst, type FrameSender, type Nic } from 'vfio/kit';
import {
  CHECKSUMS,
  fillByte,
  type Flow,
  leaveChecksums,
  PAYLOAD,
  writeHeaders,
  writeNumber,
} from './udp-frame.js';

const BURST = 32;

export interface GeneratorOptions {
  readonly flow: Flow;
  /** Bytes of each frame, without CRC. */
  readonly size: number;
  /** How many; default without end. */
  readonly count?: number;
  /** Frames per second; default as fast as it goes. */
  readonly rate?: number;
  /** Have the NIC write the checksums, of UDP too, which otherwise has none. Default false. */
  readonly checksums?: boolean;
}

export class Generator {
  /** Frames handed to the NIC. */
  sent = 0;
  private readonly burst: Burst;
  /** Which buffers have been, by {@link place}: a lookup for each frame, so no Set. */
  private readonly prepared: Uint8Array;
  /** When the NIC writes checksums. */
  private readonly sender: FrameSender | undefined;

  /** @throws Error when the NIC writes no checksums, and should */
  constructor(
    private readonly nic: Nic,
    private readonly options: GeneratorOptions,
  ) {
    this.sender = senderFor(nic, options);
    this.burst = new Burst(nic.pool.arena, BURST);
    this.prepared = new Uint8Array(place(nic.pool.arena.u8.length));
  }

  /** Sends until all are sent, or until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { count = Infinity, rate = Infinity } = this.options;
    const start = performance.now();
    while (this.sent < count && !signal.aborted) {
      const due = Math.min(
        count,
        rate === Infinity ? Infinity : 1 + (rate * (performance.now() - start)) / 1000,
      );
      const missing = Math.floor(due) - this.sent;
      const taken = missing > 0 ? this.send(Math.min(BURST, missing)) : 0;
      // The NIC is busy, or we are early: others have their turn.
      if (missing <= 0) await sleep(1);
      else if (taken === 0) await nextTurn();
    }
  }

  /** Sends up to `count` frames now and returns how many the NIC took. */
  send(count: number): number {
    const { burst, nic, options } = this;
    const { pool } = nic;
    let ready = 0;
    for (; ready < count; ready++) {
      const handle = pool.take();
      if (handle === 0) break;
      if (this.prepared[place(handle)] === 0) this.prepare(handle);
      writeNumber(pool.arena.u8, handle, this.sent + ready);
      burst.set(ready, handle, options.size);
    }
    // With none it only takes back what was sent.
    const taken = this.sender === undefined ? nic.txBurst(burst, ready) : this.sender.burst(burst, ready);
    for (let i = taken; i < ready; i++) pool.give(burst.handle(i));
    this.sent += taken;
    return taken;
  }

  /** Waits until the NIC has sent everything. */
  async drain(signal: AbortSignal): Promise<void> {
    while (this.nic.txPending > 0 && !signal.aborted) await sleep(1);
  }

  private prepare(handle: number): void {
    const { flow, size, checksums = false } = this.options;
    const frame = this.nic.pool.bytes(handle);
    writeHeaders(frame, size, flow);
    if (checksums) leaveChecksums(frame, size);
    for (let i = 4; i < size - PAYLOAD; i++) frame[PAYLOAD + i] = fillByte(i);
    this.prepared[place(handle)] = 1;
  }
}

function senderFor(nic: Nic, { checksums = false }: GeneratorOptions): FrameSender | undefined {
  if (!checksums) return undefined;
  if (nic.checksums === undefined)
    throw new Error(`${nic.name} has a driver that leaves checksums to software.`);
  return nic.checksums.sender(CHECKSUMS);
}

/** A small number for each buffer: no two lie closer together than a cache line. */
function place(handle: number): number {
  return handle >>> 6;
}
