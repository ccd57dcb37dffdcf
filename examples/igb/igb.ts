/**
 * A driver for the Intel 82576 gigabit controller, which is also what QEMU's `igb` device is: its physical function, with as
 * many queues as there are threads for.
 *
 * Start reading here; each step of {@link Igb.start} leads to a file of its own. The kit's {@link Nic} has one queue each
 * way, which is {@link Igb.queues}' first; each of the others has all that a loop of its own needs, also in another thread:
 * shared-queue.ts.
 */
import { type Device, type Mapping, type OpenOptions } from 'vfio';
import { type BufferPool, type LinkState, type Nic, type NicStats } from 'vfio/kit';
import { linkState } from '../intel/link-state.js';
import { requireDevice } from '../nic/device-id.js';
import { openStarted } from '../nic/open-started.js';
import { Interrupts } from './interrupts.js';
import { readMacAddress, waitForLink } from './link.js';
import { makePool } from './memory.js';
import { NicOverQueue } from './nic-over-queue.js';
import { restartLink } from './phy.js';
import { bells, makeRings, Queue, startQueue } from './queue.js';
import { type IgbRegisters, MOST_QUEUES, registerMap } from './registers.js';
import { reset, stop } from './reset.js';
import { startRss } from './rss.js';
import { Lease, shareQueue, type SharedQueue } from './shared-queue.js';
import { Statistics } from './statistics.js';

const INTEL = 0x8086;
/** 82576 with copper, fibre, and SerDes ports. */
const DEVICE_IDS: readonly number[] = [0x10c9, 0x10e6, 0x10e7, 0x10e8, 0x150a, 0x150d, 0x1518, 0x1526];

export interface IgbOptions {
  /** Queues each way, 1 to 16 and one fewer than the device has MSI-X vectors. Default 1. */
  queues?: number;
  /** Descriptors in each receive ring: a power of two from 8 on, by default 256. */
  rxDescriptors?: number;
  /** Descriptors in each transmit ring, likewise. */
  txDescriptors?: number;
  /** Receive frames for any address, not only ours and broadcasts. */
  promiscuous?: boolean;
  /**
   * Gives each queue a part of the pool for itself, so that each can be handed to a thread of its own by {@link Igb.shareQueue}.
   * Default false: one thread has all queues, and they use the same buffers.
   */
  separate?: boolean;
  /** Where buffers come from: give several NICs the same one to send with one what another received. Default its own. */
  pool?: BufferPool;
}

/** As a NIC it is that of its first queue. */
export class Igb extends NicOverQueue implements Nic {
  private constructor(
    readonly device: Device,
    readonly registers: IgbRegisters,
    /** The six bytes of our Ethernet address. */
    readonly mac: Uint8Array,
    readonly pool: BufferPool,
    /** Each with a vector of its own. What is not IP is received by the first. */
    readonly queues: readonly [Queue, ...Queue[]],
    readonly interrupts: Interrupts,
    readonly statistics: Statistics,
    private readonly mapping: Mapping,
    /** For each queue that may go to another thread. */
    private readonly leases: readonly Lease[],
    private readonly ownPool: boolean,
  ) {
    super(queues[0]);
  }

  static supports(vendorId: number, deviceId: number): boolean {
    return vendorId === INTEL && DEVICE_IDS.includes(deviceId);
  }

  /** Opens the device at a PCI address and starts it. With `bind` it is taken from its kernel driver until closed. */
  static async open(address: string, options: IgbOptions & Pick<OpenOptions, 'bind'> = {}): Promise<Igb> {
    const { bind = false, ...rest } = options;
    return openStarted(address, { bind }, device => Igb.start(device, rest));
  }

  /** Starts an opened device. */
  static async start(device: Device, options: IgbOptions = {}): Promise<Igb> {
    requireDevice(
      device,
      (vendorId, deviceId) => Igb.supports(vendorId, deviceId),
      'an Intel 82576 (8086:10c9)',
    );
    const { queues: count = 1, rxDescriptors = 256, txDescriptors = 256, separate = false } = options;
    if (!Number.isInteger(count) || count < 1 || count > MOST_QUEUES)
      throw new RangeError(`The 82576 has 1 to ${MOST_QUEUES} queues, not ${count}.`);
    const mapping: Mapping = device.bar(0).map();
    const regs = registerMap.over(mapping);
    await reset(regs);
    const mac = readMacAddress(regs);
    const statistics = new Statistics(regs, count);

    // Descriptors, frames and MSI-X messages all are memory accesses by the device, which need bus mastering.
    device.enableBusMaster();
    const interrupts = new Interrupts(regs, device, count);
    const pool = options.pool ?? makePool(device.dma, count, rxDescriptors + txDescriptors);
    const iova = pool.arena.mapFor(device.dma);
    const share = Math.floor(pool.free / count);
    const queue = (index: number): Queue => {
      const buffers = separate ? pool.part(share) : pool;
      const sizes = { pool: buffers, iova, rxDescriptors, txDescriptors };
      const rings = makeRings(bells(mapping, regs, index), sizes);
      const vector = interrupts.queues[index] ?? interrupts.other;
      return new Queue(index, device.address, mapping, rings, vector, interrupts);
    };
    const queues: [Queue, ...Queue[]] = [queue(0)];
    while (queues.length < count) queues.push(queue(queues.length));

    const leases = separate ? queues.map(() => new Lease(pool.arena)) : [];

    startRss(regs, count);
    regs.RFCTL.write(0);
    regs.TCTL.set({ ENABLE: 1, PAD_SHORT_FRAMES: 1, COLLISION_THRESHOLD: 0x0f, BACK_OFF_SLOT_TIME: 0x40 });
    for (const { index, rx, tx } of queues) await startQueue(regs, index, { rx, tx }, { drop: count > 1 });
    const promiscuous = options.promiscuous === true ? 1 : 0;
    regs.RCTL.set({
      ...{ ENABLE: 1, ACCEPT_BROADCAST: 1, STRIP_CRC: 1 },
      ...{ PROMISCUOUS_UNICAST: promiscuous, PROMISCUOUS_MULTICAST: promiscuous },
    });
    await restartLink(regs);
    const ownPool = options.pool === undefined;
    return new Igb(device, regs, mac, pool, queues, interrupts, statistics, mapping, leases, ownPool);
  }

  get name(): string {
    return this.device.address;
  }

  get closed(): boolean {
    return this.device.closed;
  }

  get link(): LinkState {
    return linkState(this.registers);
  }

  /** Sleeps until the link is up, by default for at most ten seconds. */
  waitForLink(options: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<LinkState> {
    return waitForLink(this.registers, this.interrupts, { timeoutMs: 10_000, ...options });
  }

  /**
   * A queue for another thread: plain data, for `postMessage()` or `workerData`, of which {@link QueueNic.adopt} makes a
   * {@link Nic} there. Here its numbers are still counted; its frames, its buffers, and its vector are that thread's.
   *
   * @throws Error unless the NIC was opened with `separate`
   */
  shareQueue(index: number): SharedQueue {
    const queue = this.queues[index];
    if (queue === undefined) throw new RangeError(`There is no queue ${index} of ${this.queues.length}.`);
    const lease = this.leases[index];
    if (lease === undefined) {
      throw new Error(
        'The queues use the same buffers: open the NIC with `separate` to hand them to threads.',
      );
    }
    return shareQueue(queue, lease, this.mapping, this.mac);
  }

  /** Of all queues together, also of those in other threads. */
  stats(): NicStats {
    const { missed, dropped } = this.closed ? this.statistics.totals : this.statistics.read();
    const sum = (read: (queue: Queue) => number): number =>
      this.queues.reduce((total, queue) => total + read(queue), 0);
    return {
      rxFrames: sum(({ rx }) => rx.frames),
      rxBytes: sum(({ rx }) => rx.bytes),
      rxErrors: sum(({ rx }) => rx.errors),
      rxMissed: missed + dropped,
      rxNoBuffer: sum(({ rx }) => rx.noBuffer),
      txFrames: sum(({ tx }) => tx.frames),
      txBytes: sum(({ tx }) => tx.bytes),
      txErrors: sum(({ tx }) => tx.errors),
    };
  }

  /**
   * Stops all interrupts and DMA, then closes the device, which gives a bound device back. Buffers go to the pool; not those of
   * a queue that another thread has not closed yet, for which the device is gone from now on.
   */
  async close(): Promise<void> {
    if (this.device.closed) return;
    try {
      await stop(this.registers);
    } finally {
      for (const { index, rx, tx, pool } of this.queues) {
        if (this.leases[index]?.taken === true) continue;
        rx.close();
        tx.close();
        if (pool !== this.pool) this.pool.join(pool);
      }
      // A container shared with other devices stays, and the mapping in it would.
      if (this.ownPool) this.pool.arena.unmapFor(this.device.dma);
      await this.device.close();
    }
  }
}
