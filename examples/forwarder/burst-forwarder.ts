/**
 * Forwards by bursts, from a NIC of any kind to one of any kind. Between two that are made of the kit's rings the kit's own
 * `Forwarder` does the same in one compiled pass.
 */
import { Burst, type FrameEdit, type Nic } from 'vfio/kit';

/** The most frames that are moved at once. */
const BURST = 64;

export class BurstForwarder {
  private readonly burst: Burst;
  /** Of the frames in the burst, the first that was not sent, and the end. */
  private next = 0;
  private end = 0;

  /** @param edits what is changed in each frame, in this order. @throws Error unless both NICs have one pool */
  constructor(
    private readonly from: Pick<Nic, 'name' | 'pool' | 'rxBurst'>,
    private readonly to: Pick<Nic, 'name' | 'pool' | 'txBurst'>,
    private readonly edits: readonly FrameEdit[] = [],
  ) {
    if (from.pool !== to.pool) throw new Error(`${from.name} and ${to.name} must share a pool of buffers.`);
    this.burst = new Burst(from.pool.arena, BURST);
  }

  /** Whether frames were received that the other NIC had no room for: they go first the next time. */
  get waiting(): boolean {
    return this.next < this.end;
  }

  /** Forwards up to `max` frames and returns how many went. Never waits. */
  forward(max: number): number {
    const { burst, from, to } = this;
    if (!this.waiting) {
      this.next = 0;
      this.end = from.rxBurst(burst, Math.min(max, BURST));
      if (this.edits.length > 0) {
        for (let i = 0; i < this.end; i++) editFrame(from.pool.arena.u8, burst.handle(i), this.edits);
      }
    }
    if (!this.waiting) return 0;
    const sent = to.txBurst(burst, Math.min(max, this.end - this.next), this.next);
    this.next += sent;
    return sent;
  }
}

/** Changes the frame that starts at `start` in `memory`. */
export function editFrame(memory: Uint8Array, start: number, edits: readonly FrameEdit[]): void {
  for (const edit of edits) {
    const at = start + edit.at;
    switch (edit.kind) {
      case 'write':
        memory.set(edit.bytes, at);
        break;
      case 'swap':
        for (let i = 0; i < edit.length; i++) exchange(memory, at + i, start + edit.with + i);
        break;
      case 'add':
        memory[at] = (memory[at] ?? 0) + edit.value;
        break;
    }
  }
}

function exchange(memory: Uint8Array, one: number, other: number): void {
  const byte = memory[one] ?? 0;
  memory[one] = memory[other] ?? 0;
  memory[other] = byte;
}
