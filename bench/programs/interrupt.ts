/**
 * From what causes an interrupt to its listener, in one thread: fired in software by the kernel ("trigger"), or by the
 * device when its ICS register is written ("device"); compare bench/c/interrupt.c.
 */
import { Device } from '../../lib/device.js';
import { programArguments } from './arguments.js';
import { armInterrupt, CAUSE_RXQ0, Reg, routeInterrupt } from './nic.js';
import { now, reportLatency, spin, stayOn } from './report.js';
import { warmUp } from './warm-up.js';

async function main(): Promise<void> {
  const [address, how, count, gapNs] = programArguments('ADDRESS', 'trigger|device', 'SHOTS', 'GAP_NS');
  const shots = Number(count);
  const gap = Number(gapNs);
  // Where interrupts are sent, too.
  stayOn(0);
  await using device = await Device.open(address);
  const registers = device.bar(0).map();
  const [vector] = device.msix.enable(1);
  routeInterrupt(device, registers);

  await warmUp(vector);
  const latencies = new Float64Array(shots);
  let start = 0;
  const fire =
    how === 'device'
      ? () => {
          armInterrupt(registers);
          spin(gap);
          // QEMU's e1000e may repeat an interrupt once its throttling has postponed one.
          while (vector.waitSync(0) > 0);
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
    let before = -1;
    const lost = setInterval(() => {
      // Twice, because after a stall of the machine this runs before what has arrived meanwhile.
      if (before === fired) reject(new Error(`no interrupt after shot ${fired}`));
      before = fired;
    }, 5000);
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
