/**
 * Answers ARP and ping on a NIC, driven by its interrupts.
 *
 * Between interrupts nothing runs: no timer, no poll. An interrupt arrives through libuv as one turn of the `for await`
 * loop below; the ring is emptied, the interrupt armed again, and the process sleeps.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type E1000e } from '../e1000e/e1000e.js';
import { Cause } from '../e1000e/registers.js';
import { answer } from './answer.js';
import { get16 } from './bytes.js';
import { Ethernet, EtherType, type Station } from './ethernet.js';
import { formatIpv4 } from './ipv4.js';

/** Frames between two writes of the rings' tails, and between two turns of the event loop under load. */
const BURST = 32;

export class Responder {
  /** Interrupts received: what the kernel counted into the eventfd, so several may have come as one wake-up. */
  interrupts = 0;
  /** Wake-ups by interrupts. */
  wakeups = 0;
  arpReplies = 0;
  echoReplies = 0;
  /** Frames that asked nothing of us, or were not as they should be. */
  ignored = 0;
  /** Frames left unanswered because the transmit ring was full. */
  dropped = 0;

  private readonly station: Station;

  constructor(
    private readonly nic: E1000e,
    ip: Uint8Array,
  ) {
    this.station = { mac: nic.mac, ip };
  }

  /** The address it answers for. */
  get ip(): string {
    return formatIpv4(this.station.ip);
  }

  /** Answers until `signal` is aborted. Rejects when the device is closed before, by its user or for the kernel. */
  async run(signal: AbortSignal): Promise<void> {
    const { device, interrupts } = this.nic;
    this.arm();
    try {
      for await (const count of interrupts.rx.interrupts({ signal })) {
        this.interrupts += count;
        this.wakeups++;
        await this.drain(signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    if (!device.closed) interrupts.mask(Cause.RXQ0);
    else if (!signal.aborted) throw new Error(`${device.address} was closed while it was answering.`);
  }

  /** Empties the ring and arms the interrupt again. */
  private async drain(signal: AbortSignal): Promise<void> {
    do {
      while (this.answerBurst() === BURST) {
        // More is waiting: let timers, signals and other devices have their turn first.
        await nextTurn();
        if (signal.aborted) return;
      }
      this.arm();
      // A frame that arrived after the last look, but before the arming, may have no interrupt: look once more.
    } while (this.nic.rx.pending);
  }

  private answerBurst(): number {
    const taken = this.nic.receive(BURST, this.answerFrame);
    this.nic.tx.flush();
    return taken;
  }

  private arm(): void {
    this.nic.interrupts.arm(Cause.RXQ0);
  }

  /** Writes the answer straight into the transmit ring. A property, so that no function is made for each burst. */
  private readonly answerFrame = (frame: Uint8Array, length: number): void => {
    const reply = this.nic.tx.reserve();
    if (reply === undefined) {
      this.dropped++;
      return;
    }
    const bytes = answer(frame, length, reply, this.station);
    if (bytes === 0) {
      this.ignored++;
      return;
    }
    this.nic.tx.commit(bytes);
    if (get16(reply, Ethernet.TYPE) === EtherType.ARP) this.arpReplies++;
    else this.echoReplies++;
  };
}
