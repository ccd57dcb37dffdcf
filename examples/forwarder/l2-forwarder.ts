/**
 * Forwards frames between two ports, both ways: what comes in at one goes out at the other, unless it is told to change
 * something. On the event loop it polls while there is traffic, and a port that is idle sleeps until its interrupt; in a
 * thread of its own, {@link L2Forwarder.once} is polled for ever.
 */
import { Forwarder, type FrameEdit, type Nic, RxLoop, type RxSource } from 'vfio/kit';
import { BurstForwarder } from './burst-forwarder.js';

const BURST = 32;

export class L2Forwarder {
  /** Frames forwarded from each port. */
  readonly forwarded: [fromFirst: number, fromSecond: number] = [0, 0];
  private readonly directions: { readonly from: RxSource; readonly forwarder: Forwarder | BurstForwarder }[];

  /**
   * @param first
   * @param second the same as the first to send everything back to where it came from
   * @param edits what is changed in each frame
   */
  constructor(first: Nic, second: Nic, edits: readonly FrameEdit[] = []) {
    const directions: [from: Nic, to: Nic][] = [[first, second]];
    if (second !== first) directions.push([second, first]);
    this.directions = directions.map(([from, to]) => {
      if (from.rings !== undefined && to.rings !== undefined)
        return { from, forwarder: new Forwarder(from.rings.rx, to.rings.tx, edits) };
      const forwarder = new BurstForwarder(from, to, edits);
      return { from: sourceOf(from, forwarder), forwarder };
    });
  }

  /** Forwards what waits, a burst each way at most, and returns how many frames that were. Never waits. */
  once(): number {
    let count = 0;
    for (let i = 0; i < this.directions.length; i++) count += this.forward(i as 0 | 1);
    return count;
  }

  /** Forwards until `signal` is aborted; rejects when a port is closed before. */
  async run(signal: AbortSignal): Promise<void> {
    // When one direction fails, the other ends, too.
    const failed = new AbortController();
    const ending = AbortSignal.any([signal, failed.signal]);
    const running = this.directions.map(({ from }, i) =>
      new RxLoop(from, () => this.forward(i as 0 | 1)).run(ending).catch((error: unknown) => {
        failed.abort();
        throw error;
      }),
    );
    for (const { status, ...rest } of await Promise.allSettled(running)) {
      if (status === 'rejected') throw (rest as { reason: unknown }).reason;
    }
  }

  private forward(direction: 0 | 1): number {
    const count = this.directions[direction]?.forwarder.forward(BURST) ?? 0;
    this.forwarded[direction] += count;
    return count;
  }
}

/** What a loop shall know of a NIC from which frames may wait elsewhere, too: it must not sleep then. */
function sourceOf(nic: Nic, forwarder: BurstForwarder): RxSource {
  return {
    name: nic.name,
    rxVector: nic.rxVector,
    get closed() {
      return nic.closed;
    },
    get rxPending() {
      return forwarder.waiting || nic.rxPending;
    },
    armRxInterrupt: () => nic.armRxInterrupt(),
    disarmRxInterrupt: () => nic.disarmRxInterrupt(),
  };
}

/** Exchanges both ends of an IPv4 datagram with ports, so that it goes back to its sender. No checksum changes by it. */
export const echoEdits: readonly FrameEdit[] = [
  { kind: 'swap', at: 0, with: 6, length: 6 },
  { kind: 'swap', at: 26, with: 30, length: 4 },
  { kind: 'swap', at: 34, with: 36, length: 2 },
];
