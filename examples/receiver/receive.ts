import { Burst, type Nic, RxLoop } from 'vfio/kit';
import { FrameCounters } from './counters.js';

const BURST = 64;

/** Receives `wanted` frames, or until `signal` is aborted, and counts them. It sleeps while there are none. */
export async function receive(
  nic: Nic,
  wanted: number,
  signal: AbortSignal,
): Promise<{ readonly counters: FrameCounters; readonly loop: RxLoop }> {
  const { pool } = nic;
  const burst = new Burst(pool.arena, BURST);
  const counters = new FrameCounters();
  const enough = new AbortController();
  let left = wanted;
  const loop = new RxLoop(nic, () => {
    const count = nic.rxBurst(burst, Math.min(BURST, left));
    for (let i = 0; i < count; i++) {
      counters.add(pool.arena.u8, burst.handle(i), burst.length(i));
      pool.give(burst.handle(i));
    }
    left -= count;
    if (left === 0) enough.abort();
    return count;
  });
  await loop.run(AbortSignal.any([signal, enough.signal]));
  return { counters, loop };
}
