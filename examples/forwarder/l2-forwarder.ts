/**
 * Forwards frames between two ports, both ways: what comes in at one goes out at the other, unless it is told to change
 * something. While there is traffic it polls; a port that is idle sleeps until its interrupt.
 */
import { Forwarder, type FrameEdit, type Nic, RxLoop } from 'vfio/kit';

const BURST = 32;

export class L2Forwarder {
  /** Frames forwarded from each port. */
  readonly forwarded: [fromFirst: number, fromSecond: number] = [0, 0];
  private readonly loops: RxLoop[];

  /**
   * @param first
   * @param second the same as the first to send everything back to where it came from
   * @param edits what is changed in each frame
   */
  constructor(first: Nic, second: Nic, edits: readonly FrameEdit[] = []) {
    const directions: [from: Nic, to: Nic][] = [[first, second]];
    if (second !== first) directions.push([second, first]);
    this.loops = directions.map(([from, to], i) => {
      const forwarder = new Forwarder(ringsOf(from).rx, ringsOf(to).tx, edits);
      return new RxLoop(from, () => {
        const count = forwarder.forward(BURST);
        this.forwarded[i as 0 | 1] += count;
        return count;
      });
    });
  }

  /** Forwards until `signal` is aborted; rejects when a port is closed before. */
  async run(signal: AbortSignal): Promise<void> {
    // When one direction fails, the other ends, too.
    const failed = new AbortController();
    const ending = AbortSignal.any([signal, failed.signal]);
    const running = this.loops.map(loop =>
      loop.run(ending).catch((error: unknown) => {
        failed.abort();
        throw error;
      }),
    );
    const [broken] = (await Promise.allSettled(running)).filter(({ status }) => status === 'rejected');
    if (broken !== undefined) throw (broken as PromiseRejectedResult).reason;
  }

  /** How often a port slept until an interrupt. */
  get wakeups(): number {
    return this.loops.reduce((sum, { wakeups }) => sum + wakeups, 0);
  }
}

function ringsOf(nic: Nic): NonNullable<Nic['rings']> {
  if (nic.rings === undefined) throw new Error(`${nic.name} has no rings of the kit to forward between.`);
  return nic.rings;
}

/** Exchanges both ends of an IPv4 datagram with ports, so that it goes back to its sender. No checksum changes by it. */
export const echoEdits: readonly FrameEdit[] = [
  { kind: 'swap', at: 0, with: 6, length: 6 },
  { kind: 'swap', at: 26, with: 30, length: 4 },
  { kind: 'swap', at: 34, with: 36, length: 2 },
];
