import { type Benchmark, cProgram, cProgramNamed, ourProgram } from '../benchmark.js';

const batches = [1, 8, 32, 256];

/**
 * What a packet costs a program that receives, touches and sends it, on a NIC that is simulated in the processor's caches:
 * the least that there is to a driver, next to the same in C: as fast as C makes it, and as drivers in C mostly are.
 *
 * Goals are shares of C's speed, so 85 % is 1.18 times its time.
 */
function forwarder(
  name: string,
  about: string,
  way: 'bursts' | 'pass',
  options: { ports?: number; detach?: boolean; goals?: Readonly<Record<number, string>> } = {},
): Benchmark {
  const { ports = 1, detach = false, goals = {} } = options;
  const list = batches.map(String);
  return {
    name,
    about,
    place: 'host',
    ours: ourProgram('forwarder', way, String(ports), detach ? '1' : '0', ...list),
    references: [
      cProgram('forwarder', String(ports), ...list),
      cProgramNamed('C, packet structs', 'forwarder-structs', String(ports), ...list),
    ],
    figures: batches.map(batch => ({
      name: `batch-${batch}`,
      label: `${about}, batch ${batch}, per packet`,
      ...(goals[batch] === undefined ? {} : { goal: goals[batch] }),
    })),
  };
}

export const forwarders: readonly Benchmark[] = [
  forwarder('forward-bursts', 'forwarding by bursts', 'bursts', { goals: { 32: '≤ 1.18 (85 %)' } }),
  forwarder('forward-pass', 'forwarding in one pass', 'pass', {
    goals: { 1: '≤ 1.54 (65 %)', 32: '≤ 1.00 (100 %)' },
  }),
  forwarder('forward-ports', 'forwarding by bursts, three ports', 'bursts', {
    ports: 3,
    goals: { 32: 'within 5 points of one port' },
  }),
  forwarder('forward-ports-pass', 'forwarding in one pass, three ports', 'pass', {
    ports: 3,
    goals: { 32: 'within 5 points of one port' },
  }),
  forwarder('forward-detached', 'forwarding by bursts after a detach', 'bursts', {
    detach: true,
    goals: { 32: 'within 5 points of one port' },
  }),
  forwarder('forward-detached-pass', 'forwarding in one pass after a detach', 'pass', {
    detach: true,
    goals: { 32: 'within 5 points of one port' },
  }),
];
