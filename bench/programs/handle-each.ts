/**
 * The reference for eventfd-burst.ts: many eventfds signalled together, with a poll handle for each (bench/addon/handle-each.c).
 *
 *     handle-each.js ADDON COUNT BURSTS
 */
import { createRequire } from 'node:module';
import { EventFd } from '../../lib/eventfd.js';
import { programArguments } from './arguments.js';
import { now, reportMedian } from './report.js';

const [addon, vectors, bursts] = programArguments('ADDON', 'COUNT', 'BURSTS');
const { watch } = createRequire(__filename)(addon) as {
  watch: (fd: number, callback: (count: number) => void) => void;
};

async function main(): Promise<void> {
  const count = Number(vectors);
  const eventfds = Array.from({ length: count }, () => new EventFd());
  let missing = 0;
  let served = 0;
  let done: () => void = () => undefined;
  for (const { fd } of eventfds) {
    watch(fd, signals => {
      missing -= signals > 0 ? 1 : 0;
      if (missing > 0) return;
      served = now();
      setImmediate(done);
    });
  }
  const once = async (): Promise<number> => {
    for (const eventfd of eventfds) eventfd.signal();
    missing = count;
    const signalled = now();
    // Nothing else keeps the loop alive: the handles do not.
    const alive = setTimeout(() => undefined, 60_000);
    await new Promise<void>(resolve => (done = resolve));
    clearTimeout(alive);
    return (served - signalled) / count;
  };
  const samples = new Float64Array(Number(bursts));
  for (let i = 0; i < samples.length / 2; i++) await once();
  for (let i = 0; i < samples.length; i++) samples[i] = await once();
  reportMedian(`edges-${count}`, samples);
}

void main();
