/** A queue in a thread of its own: how it gets there, and what it is there. */
import { adopt, type IrqVector, type Mapping, type Shared } from 'vfio';
import {
  Arena,
  BufferPool,
  type LinkState,
  type Nic,
  type NicStats,
  RxRing,
  type SharedArena,
  type SharedPool,
  type SharedRxRing,
  type SharedTxRing,
  TxRing,
} from 'vfio/kit';
import { linkState } from '../intel/link-state.js';
import { pollForLink } from '../nic/wait-for-link.js';
import { NicOverQueue } from './nic-over-queue.js';
import { bells, Queue } from './queue.js';
import { type IgbRegisters, registerMap } from './registers.js';

/** A queue on its way to another thread: plain data. */
export interface SharedQueue {
  readonly driver: 'igb';
  readonly address: string;
  readonly index: number;
  readonly mac: Uint8Array;
  readonly registers: Shared<Mapping>;
  readonly vector: Shared<IrqVector>;
  readonly arena: SharedArena;
  readonly pool: SharedPool;
  readonly rx: SharedRxRing;
  readonly tx: SharedTxRing;
  /** Of its {@link Lease}. */
  readonly lease: number;
}

/** Says, in the arena, whether a queue is with another thread. */
export class Lease {
  constructor(
    private readonly arena: Arena,
    readonly cell: number = arena.alloc(64),
  ) {}

  /** Also when that thread has ended, unless it closed the queue before: it may have been in the middle of a burst. */
  get taken(): boolean {
    return Atomics.load(this.arena.u32, this.cell >> 2) === 1;
  }

  take(name: string): void {
    if (Atomics.compareExchange(this.arena.u32, this.cell >> 2, 0, 1) === 0) return;
    throw new Error(`${name} is with another thread, or was when that was terminated.`);
  }

  giveBack(): void {
    Atomics.store(this.arena.u32, this.cell >> 2, 0);
  }
}

export function shareQueue(queue: Queue, lease: Lease, mapping: Mapping, mac: Uint8Array): SharedQueue {
  return {
    lease: lease.cell,
    driver: 'igb',
    address: mapping.region.address,
    index: queue.index,
    mac,
    registers: mapping.share(),
    vector: queue.rxVector.share(),
    arena: queue.pool.arena.share(),
    pool: queue.pool.share(),
    rx: queue.rx.share(),
    tx: queue.tx.share(),
  };
}

/**
 * One queue of an 82576 as a NIC, in a thread of its own: with its own rings, its own buffers, and its own vector. All that
 * the queues have in common stays with the thread that opened the device, whose {@link Igb} it is: when that closes, this is closed.
 */
export class QueueNic extends NicOverQueue implements Nic {
  private constructor(
    queue: Queue,
    /** The six bytes of our Ethernet address, which all queues have in common. */
    readonly mac: Uint8Array,
    private readonly mapping: Mapping,
    private readonly regs: IgbRegisters,
    private readonly lease: Lease,
  ) {
    super(queue);
  }

  /**
   * What {@link Igb.shareQueue} returned in another thread. Close it when its work is done: then it is that thread's again.
   *
   * @throws Error when it is with a thread already; VfioError when the device is closed
   */
  static adopt(shared: SharedQueue): QueueNic {
    const arena = Arena.adopt(shared.arena);
    const lease = new Lease(arena, shared.lease);
    lease.take(`queue ${shared.index} of ${shared.address}`);
    let mapping: Mapping | undefined;
    try {
      mapping = adopt(shared.registers);
      const regs = registerMap.over(mapping);
      const pool = BufferPool.adopt(arena, shared.pool);
      const bell = bells(mapping, regs, shared.index);
      const rings = {
        rx: RxRing.adopt(shared.rx, { pool, bell: bell.rx }),
        tx: TxRing.adopt(shared.tx, { pool, bell: bell.tx }),
      };
      const interrupts = {
        arm: (queue: number) => regs.EIMS.write(1 << queue),
        mask: (queue: number) => regs.EIMC.write(1 << queue),
      };
      const vector = adopt(shared.vector);
      const queue = new Queue(shared.index, shared.address, mapping, rings, vector, interrupts);
      return new QueueNic(queue, shared.mac, mapping, regs, lease);
    } catch (error) {
      mapping?.close();
      lease.giveBack();
      throw error;
    }
  }

  get name(): string {
    return this.queue.name;
  }

  get index(): number {
    return this.queue.index;
  }

  get closed(): boolean {
    return this.queue.closed;
  }

  /** Its part of the buffers. */
  get pool(): BufferPool {
    return this.queue.pool;
  }

  /** Fires the vector of another queue, unless it is masked: to wake the thread that sleeps there. */
  wake(queue: number): void {
    this.regs.EICS.write(1 << queue);
  }

  get link(): LinkState {
    return linkState(this.regs);
  }

  /** The interrupt of the link is the other thread's, so this looks every now and then; by default for ten seconds. */
  waitForLink(options: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<LinkState> {
    return pollForLink(() => this.link, { timeoutMs: 10_000, ...options });
  }

  /** Of this queue; what the device missed is counted by the thread that opened it. */
  stats(): NicStats {
    return this.queue.stats();
  }

  /** Hands the queue back to the thread that opened the device. Frames that this thread still holds must be given back before. */
  close(): Promise<void> {
    const { rx, tx, rxVector } = this.queue;
    rx.close();
    tx.close();
    if (!rxVector.closed) this.lease.giveBack();
    rxVector.close();
    this.mapping.close();
    return Promise.resolve();
  }
}
