/**
 * A NIC that is simulated in memory: rings of advanced descriptors as Intel's 10-gigabit controllers have them, which
 * the model fills and completes between two visits of the driver. bench/c/nic-model.h is the same.
 */
import { advancedRx, advancedTx, type Bell, type BufferPool, RxRing, TxRing } from 'vfio/kit';

const RING = 512;
/** Frames between two visits of the driver. */
export const ARRIVALS = 448;
const FRAME = 60;
/** The byte of each frame that the application changes. */
export const TOUCHED = 48;
export const REFILLS = 500;
export const SAMPLES = 40;
export const WARM_UP = 10;

const RX_WORDS = 1 | 2;
const TX_DONE = 1;

/** A register that is memory. */
class Register implements Bell {
  readonly words = new Uint32Array(new SharedArrayBuffer(64));
  ring(value: number): void {
    this.words[0] = value;
  }
}

export class ModelNic {
  readonly rx: RxRing;
  readonly tx: TxRing;
  /** Frames that the driver sent. */
  sent = 0;
  readonly #tail: Uint32Array;
  readonly #words: Uint32Array;
  readonly #rxWords: number;
  readonly #txWords: number;
  #rxHead = 0;
  #txHead = 0;

  constructor(pool: BufferPool) {
    const bell = new Register();
    this.#tail = bell.words;
    const common = { pool, size: RING, iova: 0x1_0000_0000n };
    this.rx = new RxRing({ ...common, format: advancedRx(1n << 29n), bell: new Register() });
    this.tx = new TxRing({ ...common, format: advancedTx, bell });
    this.#words = pool.arena.u32;
    this.#rxWords = this.rx.offset >> 2;
    this.#txWords = this.tx.offset >> 2;
  }

  /** What happens between two visits: all that was to be sent is sent, and frames arrive. */
  refill(): void {
    this.drain();
    this.#receive();
  }

  /** Sends what is left to be sent. */
  drain(): void {
    this.#send(this.#tail[0] as number);
  }

  #receive(): void {
    const words = this.#words;
    const ring = this.#rxWords;
    let at = this.#rxHead;
    for (let i = 0; i < ARRIVALS; i++) {
      words[ring + 4 * at + 3] = FRAME;
      words[ring + 4 * at + 2] = RX_WORDS;
      at = (at + 1) & (RING - 1);
    }
    this.#rxHead = at;
  }

  #send(tail: number): void {
    const words = this.#words;
    const ring = this.#txWords;
    let at = this.#txHead;
    for (; at !== tail; at = (at + 1) & (RING - 1)) {
      words[ring + 4 * at + 3] = TX_DONE;
      this.sent++;
    }
    this.#txHead = at;
  }
}
