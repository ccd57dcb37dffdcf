/**
 * Answers ARP and ping on a NIC of any kind, driven by its interrupts.
 *
 * Between interrupts nothing runs: no timer, no poll. An interrupt arrives through libuv; the ring is emptied, the
 * interrupt armed again, and the process sleeps. The kit's loop does that part.
 */
import { Burst, type Nic, RxLoop } from 'vfio/kit';
import { answer } from './answer.js';
import { get16 } from './bytes.js';
import { Ethernet, EtherType, type Station } from './ethernet.js';
import { formatIpv4 } from './ipv4.js';

/** Frames between two writes of the rings' tails. */
const BURST = 32;

export class Responder {
  arpReplies = 0;
  echoReplies = 0;
  /** Frames that asked nothing of us, or were not as they should be. */
  ignored = 0;
  /** Frames left unanswered because there was no buffer, or no room in the transmit ring. */
  dropped = 0;

  private readonly station: Station;
  private readonly received: Burst;
  private readonly replies: Burst;
  private readonly loop: RxLoop;

  constructor(
    private readonly nic: Nic,
    ip: Uint8Array,
  ) {
    this.station = { mac: nic.mac, ip };
    this.received = new Burst(nic.pool.arena, BURST);
    this.replies = new Burst(nic.pool.arena, BURST);
    this.loop = new RxLoop(nic, () => this.answerBurst(), { idlePolls: 0 });
  }

  /** The address it answers for. */
  get ip(): string {
    return formatIpv4(this.station.ip);
  }

  /** Interrupts received: what the kernel counted into the eventfd, so several may have come as one wake-up. */
  get interrupts(): number {
    return this.loop.interrupts;
  }

  /** Wake-ups by interrupts. */
  get wakeups(): number {
    return this.loop.wakeups;
  }

  /** Answers until `signal` is aborted. Rejects when the device is closed before, by its user or for the kernel. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.loop.run(signal);
    } catch (error) {
      if (!this.nic.closed || signal.aborted) throw error;
      throw new Error(`${this.nic.name} was closed while it was answering.`, { cause: error });
    }
  }

  /** Returns how many frames there were. */
  private answerBurst(): number {
    const { nic, received, replies } = this;
    const { pool } = nic;
    const count = nic.rxBurst(received, BURST);
    let answers = 0;
    for (let i = 0; i < count; i++) {
      const handle = received.handle(i);
      const reply = pool.take();
      if (reply === 0) this.dropped++;
      else {
        const length = answer(pool.bytes(handle), received.length(i), pool.bytes(reply), this.station);
        if (length > 0) replies.set(answers++, reply, length);
        else {
          this.ignored++;
          pool.give(reply);
        }
      }
      pool.give(handle);
    }
    if (answers > 0) this.send(answers);
    return count;
  }

  private send(count: number): void {
    const { nic, replies } = this;
    const taken = nic.txBurst(replies, count);
    for (let i = 0; i < count; i++) {
      // The device reads a frame, and nobody writes to it before it is received into or taken again.
      const reply = replies.handle(i);
      if (i < taken) {
        if (get16(nic.pool.bytes(reply), Ethernet.TYPE) === EtherType.ARP) this.arpReplies++;
        else this.echoReplies++;
      } else {
        nic.pool.give(reply);
        this.dropped++;
      }
    }
  }
}
