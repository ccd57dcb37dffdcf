/**
 * A driver for the virtual functions of the Intel 82576. Such a function has queues and interrupts of its own, and nothing
 * else: its address, its filters and the link are the business of the physical function's driver, which is asked by mailbox.
 *
 * Queues and descriptors are those of ../queue.ts and ../descriptors.ts.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Device, type OpenOptions } from 'vfio';
import { type BufferPool, Counters, type LinkState, type Nic, type NicStats } from 'vfio/kit';
import { linkState } from '../../intel/link-state.js';
import { requireDevice } from '../../nic/device-id.js';
import { macFromWords } from '../../nic/mac.js';
import { openStarted } from '../../nic/open-started.js';
import { waitForLink } from '../../nic/wait-for-link.js';
import { MAX_FRAME } from '../descriptors.js';
import { makePool } from '../memory.js';
import { NicOverQueue } from '../nic-over-queue.js';
import { bells, makeRings, Queue, startQueue } from '../queue.js';
import { VfInterrupts } from './interrupts.js';
import { Mailbox, Request } from './mailbox.js';
import { type VfRegisters, vfRegisterMap } from './registers.js';

const INTEL = 0x8086;
const DEVICE_ID = 0x10ca;
const CRC_BYTES = 4;
const ALL_VECTORS = 0b111;

export interface IgbVfOptions {
  /** Descriptors in the receive ring: a power of two from 8 on, by default 256. */
  rxDescriptors?: number;
  /** Descriptors in the transmit ring, likewise. */
  txDescriptors?: number;
  /** Where buffers come from: give several NICs the same one to send with one what another received. Default its own. */
  pool?: BufferPool;
}

export class IgbVf extends NicOverQueue implements Nic {
  private constructor(
    readonly device: Device,
    readonly registers: VfRegisters,
    /** The six bytes of the Ethernet address that the physical function's driver gave us. */
    readonly mac: Uint8Array,
    readonly pool: BufferPool,
    queue: Queue,
    readonly interrupts: VfInterrupts,
    /** What the device has counted. */
    readonly counters: Counters<'received' | 'multicasts' | 'transmitted'>,
    private readonly ownPool: boolean,
  ) {
    super(queue);
  }

  static supports(vendorId: number, deviceId: number): boolean {
    return vendorId === INTEL && deviceId === DEVICE_ID;
  }

  /** Opens the function at a PCI address and starts it. With `bind` it is taken from its kernel driver until closed. */
  static async open(
    address: string,
    options: IgbVfOptions & Pick<OpenOptions, 'bind' | 'vfToken'> = {},
  ): Promise<IgbVf> {
    const { bind = false, vfToken, ...rest } = options;
    return openStarted(address, { bind, ...(vfToken !== undefined && { vfToken }) }, device =>
      IgbVf.start(device, rest),
    );
  }

  /** Starts an opened device. */
  static async start(device: Device, options: IgbVfOptions = {}): Promise<IgbVf> {
    // A virtual function's own identity reads as all-ones; the kernel makes it up from the physical one's.
    requireDevice(
      device,
      (vendorId, deviceId) => IgbVf.supports(vendorId, deviceId),
      'a virtual function of an Intel 82576 (8086:10ca)',
    );
    const { rxDescriptors = 256, txDescriptors = 256 } = options;
    const mapping = device.bar(0).map();
    const regs = vfRegisterMap.over(mapping);
    const mailbox = new Mailbox(regs);
    await reset(regs);
    await mailbox.waitForReset();
    const [low = 0, high = 0] = await mailbox.ask(Request.RESET);
    const mac = macFromWords(low, high);
    await mailbox.ask(Request.SET_MAX_FRAME, MAX_FRAME + CRC_BYTES);

    device.enableBusMaster();
    const interrupts = new VfInterrupts(regs, device);
    const pool = options.pool ?? makePool(device.dma, 1, rxDescriptors + txDescriptors);
    const iova = pool.arena.mapFor(device.dma);
    const rings = makeRings(bells(mapping, regs, 0), { pool, iova, rxDescriptors, txDescriptors });
    const queue = new Queue(0, device.address, mapping, rings, interrupts.rx, interrupts);
    // A function that does not empty its queue must not keep the others from receiving.
    await startQueue(regs, 0, queue, { drop: true });
    const counters = new Counters({
      received: { kind: 32, read: () => regs.VFGPRC.read() },
      multicasts: { kind: 32, read: () => regs.VFMPRC.read() },
      transmitted: { kind: 32, read: () => regs.VFGPTC.read() },
    });
    const ownPool = options.pool === undefined;
    return new IgbVf(device, regs, mac, pool, queue, interrupts, counters, ownPool);
  }

  get name(): string {
    return this.device.address;
  }

  get closed(): boolean {
    return this.device.closed;
  }

  /** That of the physical function. */
  get link(): LinkState {
    return linkState(this.registers);
  }

  /** Sleeps until the link is up, by default for at most ten seconds: it is told of by a message. */
  waitForLink(options: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<LinkState> {
    const look = (): LinkState => {
      this.interrupts.armMailbox();
      return this.link;
    };
    return waitForLink(look, this.interrupts.mailbox, 'is the physical function up?', {
      timeoutMs: 10_000,
      ...options,
    });
  }

  /** What a virtual function misses is counted by the physical one. */
  stats(): NicStats {
    return this.queue.stats();
  }

  /** Resets the function, which ends all its DMA and interrupts, and closes it. Buffers go to the pool. */
  async close(): Promise<void> {
    if (this.device.closed) return;
    try {
      await reset(this.registers);
    } finally {
      this.queue.rx.close();
      this.queue.tx.close();
      if (this.ownPool) this.pool.arena.unmapFor(this.device.dma);
      await this.device.close();
    }
  }
}

/** Ends what the queues and the interrupts of the function do, and has them at their reset values. */
async function reset({ CTRL, EIMC }: VfRegisters): Promise<void> {
  EIMC.write(ALL_VECTORS);
  CTRL.set({ RESET: 1 });
  await sleep(1);
}
