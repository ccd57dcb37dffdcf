/**
 * A driver for virtio network devices of version 1.0 and later, on PCI.
 *
 * Start reading here; each step of {@link VirtioNet.start} leads to a file of its own. It implements the kit's {@link Nic}
 * with queues of its own, split or packed, whichever the device offers: the kit's rings are for devices that write into
 * descriptors what they received, which split virtqueues do not.
 */
import { type Device, type IrqVector, type OpenOptions } from 'vfio';
import { type BufferPool, type Burst, type LinkState, type Nic, type NicStats } from 'vfio/kit';
import { requireDevice } from '../nic/device-id.js';
import { openStarted } from '../nic/open-started.js';
import { waitForLink } from '../nic/wait-for-link.js';
import { enableQueue, type Features, mostDescriptors, negotiate, reset } from './initialization.js';
import { enableInterrupts, type Interrupts, Vector } from './interrupts.js';
import { linkState, readMacAddress } from './link.js';
import { makePool } from './memory.js';
import { PackedQueue } from './packed-queue.js';
import { Feature, NET_DEVICE, QueueIndex, TRANSITIONAL_NET_DEVICE, VIRTIO_VENDOR } from './registers.js';
import { RxQueue } from './rx-queue.js';
import { SplitQueue } from './split-queue.js';
import { findTransport, type Transport } from './transport.js';
import { MAX_FRAME, MIN_FRAME, TxQueue } from './tx-queue.js';
import { type Virtqueue } from './virtqueue.js';

export interface VirtioNetOptions {
  /** How many frames the receive queue has room for: a power of two from 4 on, by default 128. */
  rxFrames?: number;
  /** The transmit queue likewise. */
  txFrames?: number;
  /** Where buffers come from: give several NICs the same one to send with one what another received. Default its own. */
  pool?: BufferPool;
  /** Features to do without, as numbers, though the device offers them. */
  without?: readonly number[];
}

const WANTED = [
  Feature.MAC,
  Feature.STATUS,
  Feature.SPEED_DUPLEX,
  Feature.EVENT_IDX,
  Feature.RING_PACKED,
] as const;

export class VirtioNet implements Nic {
  readonly minFrame = MIN_FRAME;
  readonly maxFrame = MAX_FRAME;

  private constructor(
    readonly device: Device,
    private readonly transport: Transport,
    /** What device and driver agreed on. */
    readonly features: Features,
    /** The six bytes of our Ethernet address. */
    readonly mac: Uint8Array,
    readonly pool: BufferPool,
    readonly rx: RxQueue,
    readonly tx: TxQueue,
    readonly interrupts: Interrupts,
    private readonly ownPool: boolean,
  ) {}

  static supports(vendorId: number, deviceId: number): boolean {
    return vendorId === VIRTIO_VENDOR && (deviceId === NET_DEVICE || deviceId === TRANSITIONAL_NET_DEVICE);
  }

  /** Opens the device at a PCI address and starts it. With `bind` it is taken from its kernel driver until closed. */
  static async open(
    address: string,
    options: VirtioNetOptions & Pick<OpenOptions, 'bind'> = {},
  ): Promise<VirtioNet> {
    const { bind = false, ...rest } = options;
    return openStarted(address, { bind }, device => VirtioNet.start(device, rest));
  }

  /** Starts an opened device, in the order of 3.1.1 and 5.1.5. */
  static async start(device: Device, options: VirtioNetOptions = {}): Promise<VirtioNet> {
    requireDevice(
      device,
      (vendorId, deviceId) => VirtioNet.supports(vendorId, deviceId),
      'a virtio network device (1af4:1041)',
    );
    const { rxFrames = 128, txFrames = 128, without = [] } = options;
    const transport = findTransport(device);
    const { common } = transport;
    await reset(common);
    const features = negotiate(
      common,
      WANTED.filter(feature => !without.includes(feature)),
    );
    const mac = readMacAddress(transport, features);
    for (const [queue, frames] of [
      [QueueIndex.RECEIVE, rxFrames],
      [QueueIndex.TRANSMIT, txFrames],
    ] as const) {
      checkFrames(frames, mostDescriptors(common, queue) / 2);
    }

    // Descriptors, frames and MSI-X messages all are memory accesses by the device, which need bus mastering.
    device.enableBusMaster();
    const interrupts = enableInterrupts(device, common);
    const pool = options.pool ?? makePool(device.dma, rxFrames, txFrames);
    const iova = pool.arena.mapFor(device.dma);
    const queue = (slots: number, deviceWrites: boolean): Virtqueue => {
      const options = { pool, iova, slots, deviceWrites, eventIdx: features.has(Feature.EVENT_IDX) };
      return features.has(Feature.RING_PACKED) ? new PackedQueue(options) : new SplitQueue(options);
    };
    const [receive, transmit] = [queue(rxFrames, true), queue(txFrames, false)];
    const rxBell = enableQueue(transport, QueueIndex.RECEIVE, receive, Vector.RX);
    const txBell = enableQueue(transport, QueueIndex.TRANSMIT, transmit, Vector.TX);
    const rx = new RxQueue(receive, pool, rxBell, QueueIndex.RECEIVE);
    const tx = new TxQueue(transmit, pool, txBell, QueueIndex.TRANSMIT);
    common.DEVICE_STATUS.update({ DRIVER_OK: 1 });
    rx.start();
    const ownPool = options.pool === undefined;
    return new VirtioNet(device, transport, features, mac, pool, rx, tx, interrupts, ownPool);
  }

  get name(): string {
    return this.device.address;
  }

  get closed(): boolean {
    return this.device.closed;
  }

  rxBurst(burst: Burst, max?: number): number {
    return this.rx.burst(burst, max);
  }

  txBurst(burst: Burst, count: number, from?: number): number {
    return this.tx.burst(burst, count, from);
  }

  get txPending(): number {
    return this.tx.unsent;
  }

  get rxPending(): boolean {
    return this.rx.pending;
  }

  get rxVector(): IrqVector {
    return this.interrupts.rx;
  }

  armRxInterrupt(): void {
    this.rx.arm();
  }

  disarmRxInterrupt(): void {
    this.rx.disarm();
  }

  get link(): LinkState {
    return linkState(this.transport, this.features);
  }

  /** Sleeps until the link is up, by default for at most ten seconds. */
  waitForLink(options: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<LinkState> {
    // The vector remembers a change that comes between the look and the wait.
    return waitForLink(() => this.link, this.interrupts.config, 'is the other end there?', {
      timeoutMs: 10_000,
      ...options,
    });
  }

  stats(): NicStats {
    const { rx, tx } = this;
    return {
      rxFrames: rx.frames,
      rxBytes: rx.bytes,
      rxErrors: rx.errors,
      // The device has no counters: what it has no buffer for nobody knows of.
      rxMissed: 0,
      rxNoBuffer: rx.noBuffer,
      txFrames: tx.frames,
      txBytes: tx.bytes,
      txErrors: tx.errors,
    };
  }

  /** Stops all interrupts and DMA, then closes the device, which gives a bound device back. Buffers go to the pool. */
  async close(): Promise<void> {
    if (this.device.closed) return;
    try {
      await reset(this.transport.common);
    } finally {
      this.rx.close();
      this.tx.close();
      // A container shared with other devices stays, and the mapping in it would.
      if (this.ownPool) this.pool.arena.unmapFor(this.device.dma);
      await this.device.close();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function checkFrames(frames: number, most: number): void {
  if (Number.isInteger(Math.log2(frames)) && frames >= 4 && frames <= most) return;
  throw new RangeError(
    `A queue has room for a power of two of frames from 4 to ${most} here (two descriptors each), not ${frames}.`,
  );
}
