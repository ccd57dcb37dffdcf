/**
 * A device interrupt that wakes a sleeping loop: another process rings an ioeventfd, the kernel writes the device's ICS
 * register, the device interrupts; compare bench/c/wakeup.c.
 */
import { Device } from '../../lib/device.js';
import { programArguments } from './arguments.js';
import { armInterrupt, CAUSE_RXQ0, Reg, routeInterrupt } from './nic.js';
import { stayOn } from './report.js';
import { Shots } from './shots.js';
import { warmUp } from './warm-up.js';

async function main(): Promise<void> {
  const [address, signaller, count, gapNs] = programArguments('ADDRESS', 'SIGNALLER', 'SHOTS', 'GAP_NS');
  // Where interrupts are sent, too; the signaller has another.
  stayOn(0);
  await using device = await Device.open(address);
  const registers = device.bar(0).map();
  const [vector] = device.msix.enable(1);
  routeInterrupt(device, registers);
  await warmUp(vector);
  const doorbell = device.bar(0).ioeventfd(Reg.ICS, 32, CAUSE_RXQ0);
  const shots = new Shots(Number(count));
  vector.on('interrupt', () => {
    shots.arrived();
    armInterrupt(registers);
    shots.acknowledge();
  });
  armInterrupt(registers);
  await shots.run('wakeup', { program: signaller, signalled: doorbell.fd, gapNs, processor: '1' });
}

void main();
