/** One or two NICs with a pool in common, ready to forward. */
import { Arena, BufferPool, type FrameEdit, type Nic } from 'vfio/kit';
import { openNic } from '../nic/open-nic.js';
import { echoEdits, L2Forwarder } from './l2-forwarder.js';

/** Both rings of both ports can be full, and as many buffers are on their way. */
const BUFFERS = 2048;
/** Bytes for the rings, and what else is kept for them. */
const RINGS = 1 << 20;

export class Ports implements AsyncDisposable {
  private constructor(
    readonly nics: readonly Nic[],
    readonly forwarder: L2Forwarder,
  ) {}

  /** Opens one port, whose datagrams go back to where they came from, or two that everything is forwarded between. */
  static async open(addresses: readonly string[], signal: AbortSignal): Promise<Ports> {
    const pool = new BufferPool(new Arena(BufferPool.bytesFor(BUFFERS) + RINGS), { count: BUFFERS });
    const echo = addresses.length === 1;
    const nics: Nic[] = [];
    try {
      // Between two ports, frames for anybody go through.
      for (const address of addresses) nics.push(await openNic(address, { pool, promiscuous: !echo }));
      await Promise.all(nics.map(nic => nic.waitForLink({ signal })));
      const [first, second = first] = nics as [Nic, Nic?];
      const edits: readonly FrameEdit[] = echo ? echoEdits : [];
      return new Ports(nics, new L2Forwarder(first, second, edits));
    } catch (error) {
      for (const nic of nics) await nic.close();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const nic of this.nics) await nic.close();
  }
}
