import type { IrqVector } from '../irq/irq-vector';
import type { BufferPool } from './buffer-pool';
import type { Burst } from './burst';
import type { ChecksumOffload } from './checksums';
import type { RxRing } from './rx-ring';
import type { TxRing } from './tx-ring';

/** The state of a link. */
export interface LinkState {
  readonly up: boolean;
  /** Megabits per second. Without meaning while the link is down. */
  readonly speed: number;
  readonly fullDuplex: boolean;
}

/** What a NIC has counted since it was opened. */
export interface NicStats {
  /** Frames handed over by {@link Nic.rxBurst}, and their bytes without CRC. */
  readonly rxFrames: number;
  readonly rxBytes: number;
  /** Frames that were damaged, or whose descriptors made no sense. */
  readonly rxErrors: number;
  /** Frames the device had no room for: nobody received fast enough. */
  readonly rxMissed: number;
  /** How often frames had to stay in the ring because the pool was empty. */
  readonly rxNoBuffer: number;
  /** Frames taken by {@link Nic.txBurst}, and their bytes without padding and CRC. */
  readonly txFrames: number;
  readonly txBytes: number;
  /** Frames not sent because of their length. */
  readonly txErrors: number;
}

/** What a loop must know of a source of frames: whether there is work, and how to be woken by it. */
export interface RxSource {
  /** How it is called in messages: its PCI address. */
  readonly name: string;
  /** Closed by its user or for the kernel. */
  readonly closed: boolean;
  /** Whether a received frame waits. */
  readonly rxPending: boolean;
  /** The vector that announces received frames while it is {@link armRxInterrupt armed}. */
  readonly rxVector: IrqVector;
  /**
   * Lets the next frame interrupt, once. A frame that came between the last look and this call may have no interrupt of its
   * own: look at {@link rxPending} afterwards. The loops of the kit do.
   */
  armRxInterrupt(): void;
  /** Keeps received frames from interrupting. */
  disarmRxInterrupt(): void;
}

/**
 * A network card with one queue each way, as applications use it and drivers implement it. Nothing here waits, but for
 * {@link waitForLink} and {@link close}; nothing allocates for each packet.
 *
 * Frames are handles of buffers in {@link pool}, without CRC. Whoever received a frame owns its buffer and sends it, on any
 * NIC that shares the pool, or gives it back.
 */
export interface Nic extends RxSource, AsyncDisposable {
  /** The six bytes of its Ethernet address. */
  readonly mac: Uint8Array;
  /** Where received frames come from and sent ones go back to. */
  readonly pool: BufferPool;
  /** The shortest and longest frame it sends, without CRC. */
  readonly minFrame: number;
  readonly maxFrame: number;
  /** Takes up to `max` received frames (default all there is room for) into `burst`; returns how many. */
  rxBurst(burst: Burst, max?: number): number;
  /**
   * Sends `count` frames of `burst`, from frame `from` on (default 0), and returns how many were taken. The others stay the
   * caller's. With the link down frames wait in the ring, until it is full.
   */
  txBurst(burst: Burst, count: number, from?: number): number;
  /**
   * How many of the frames taken by {@link txBurst} the NIC has not said to have sent, which it may do for several at once: 0 when
   * all are out, and when closed. Looks at memory alone, and takes longer the more there are: for waiting before closing, not for
   * each burst.
   */
  readonly txPending: number;
  /** The state of the link, read from the device. */
  readonly link: LinkState;
  /** Sleeps until the link is up. @param options by default it waits for ten seconds. @throws Error when that is over */
  waitForLink(options?: { timeoutMs?: number; signal?: AbortSignal }): Promise<LinkState>;
  stats(): NicStats;
  /** What it does about checksums; undefined where its driver leaves them to software, or was not asked for it. */
  readonly checksums?: ChecksumOffload | undefined;
  /** Its rings, where it is made of the kit's: what a {@link Forwarder} needs. */
  readonly rings?: { readonly rx: RxRing; readonly tx: TxRing };
  /** Stops all DMA and interrupts, gives buffers back to the pool and the device to the system. */
  close(): Promise<void>;
}
