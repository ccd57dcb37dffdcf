/**
 * The mailbox between a virtual function and the driver of its physical function, which decides what the former may: 64 bytes
 * that one of the two has at a time, and bits by which each tells the other. The messages are those of Linux' igb.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type VfRegisters } from './registers.js';

/** The physical function's driver answers by an interrupt of its own, on a machine that may have other things to do. */
const ANSWER_MS = 5000;

/** What a message asks for. */
export const Request = {
  /** To be made ready, after a reset. The answer has our Ethernet address. */
  RESET: 0x01,
  /** Frames up to so many bytes, with VLAN tag and CRC. */
  SET_MAX_FRAME: 0x05,
} as const;

/** What an answer has added to the request in its first word. */
const Answer = { DONE: 0x8000_0000, REFUSED: 0x4000_0000, CLEAR_TO_SEND: 0x2000_0000 } as const;

export class Mailbox {
  /** Bits that reading cleared and nobody has asked for yet. */
  #seen = 0;

  constructor(private readonly regs: Pick<VfRegisters, 'MAILBOX' | 'MAILBOX_MEMORY'>) {}

  /** Waits until the physical function is not, or no longer, in a reset. @throws Error when that does not end */
  async waitForReset(): Promise<void> {
    const inReset = this.regs.MAILBOX.compose({ IN_RESET: 1 });
    await this.#until(
      () => (this.#look() & inReset) === 0,
      'The physical function is in reset: its driver must be there, with its interface up.',
    );
  }

  /**
   * Sends a message and waits for its answer.
   *
   * @returns the words of the answer after the first
   * @throws Error when it is refused, or nobody answers
   */
  async ask(request: number, ...words: number[]): Promise<number[]> {
    await this.#lock();
    // What is left of earlier messages is over.
    this.#look();
    this.#seen = 0;
    for (const [i, word] of [request, ...words].entries()) this.regs.MAILBOX_MEMORY.at(i).write(word);
    // That also lets go of the memory.
    this.regs.MAILBOX.set({ REQUEST: 1 });
    await this.#until(() => this.#has('ACKNOWLEDGED'), nobody(request));
    await this.#until(() => this.#has('MESSAGE'), nobody(request));

    await this.#lock();
    const answer = Array.from(this.regs.MAILBOX_MEMORY, (word: { read(): number }) => word.read());
    this.regs.MAILBOX.set({ ACKNOWLEDGE: 1 });
    const [first = 0, ...rest] = answer;
    const kind = (first & ~Answer.CLEAR_TO_SEND) >>> 0;
    if (kind === (request | Answer.DONE) >>> 0) return rest;
    const why = kind === (request | Answer.REFUSED) >>> 0 ? 'refused it' : `answered ${first.toString(16)}`;
    throw new Error(`The physical function was asked for ${request} and ${why}.`);
  }

  /** Takes the memory, unless the other has it at the moment. */
  async #lock(): Promise<void> {
    await this.#until(() => {
      this.regs.MAILBOX.set({ OURS: 1 });
      return (this.#look() & this.regs.MAILBOX.compose({ OURS: 1 })) !== 0;
    }, 'The physical function does not let go of the mailbox.');
  }

  /** Reads the bits, and keeps those that this clears. */
  #look(): number {
    const { MAILBOX } = this.regs;
    const now = MAILBOX.read();
    this.#seen |= now & MAILBOX.compose({ MESSAGE: 1, ACKNOWLEDGED: 1 });
    return now;
  }

  /** Whether a bit was set since it was last asked for. */
  #has(bit: 'MESSAGE' | 'ACKNOWLEDGED'): boolean {
    const mask = this.regs.MAILBOX.compose({ [bit]: 1 });
    const set = ((this.#look() | this.#seen) & mask) !== 0;
    this.#seen &= ~mask;
    return set;
  }

  async #until(done: () => boolean, complaint: string): Promise<void> {
    const deadline = performance.now() + ANSWER_MS;
    while (!done()) {
      if (performance.now() > deadline) throw new Error(complaint);
      await sleep(1);
    }
  }
}

function nobody(request: number): string {
  return `The physical function did not answer to ${request}: its driver must be there, with its interface up.`;
}
