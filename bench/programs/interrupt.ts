/**
 * From what causes an interrupt to its listener, in one thread: fired in software by the kernel ("trigger"), or by the
 * device when its ICS register is written ("device"); compare bench/c/interrupt.c.
 */
import { Device } from '../../lib/device.js';
import { programArguments } from './arguments.js';
import { armInterrupt, CAUSE_RXQ0, Reg, routeInterrupt } from './nic.js';
import { now, reportLatency, spin } from './report.js';

async function main(): Promise<void> {
  const [address, how, count, gapNs] = programArguments('ADDRESS', 'trigger|device', 'SHOTS', 'GAP_NS');
  const shots = Number(count);
  const gap = Number(gapNs);
  await using device = await Device.open(address);
  const registers = device.bar(0).map();
  const [vector] = device.msix.enable(1);
  if (vector === undefined) throw new Error('one vector was asked for');
  routeInterrupt(device, registers);

  const latencies = new Float64Array(shots);
  let start = 0;
  const fire =
    how === 'device'
      ? () => {
          armInterrupt(registers);
          spin(gap);
          start = now();
          registers.write32(Reg.ICS, CAUSE_RXQ0);
        }
      : () => {
          spin(gap);
          start = now();
          vector.trigger();
        };
  await new Promise<void>((resolve, reject) => {
    let fired = 0;
    const lost = setInterval(() => {
      if (now() - start > 1e9) reject(new Error(`no interrupt after shot ${fired}`));
    }, 1000);
    vector.on('interrupt', () => {
      latencies[fired++] = now() - start;
      if (fired < shots) setImmediate(fire);
      else {
        clearInterval(lost);
        resolve();
      }
    });
    setImmediate(fire);
  });
  // The first half is warm-up.
  reportLatency(how, latencies.subarray(shots >>> 1));
}

void main();
