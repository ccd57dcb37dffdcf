/**
 * A device interrupt that wakes a sleeping loop: another process rings an ioeventfd, the kernel writes the device's ICS
 * register, the device interrupts; compare bench/c/wakeup.c.
 */
import { Device } from '../../lib/device.js';
import { programArguments } from './arguments.js';
import { armInterrupt, CAUSE_RXQ0, Reg, routeInterrupt } from './nic.js';
import { Shots } from './shots.js';

async function main(): Promise<void> {
  const [address, signaller, count, gapNs] = programArguments('ADDRESS', 'SIGNALLER', 'SHOTS', 'GAP_NS');
  await using device = await Device.open(address);
  const registers = device.bar(0).map();
  const [vector] = device.msix.enable(1);
  if (vector === undefined) throw new Error('one vector was asked for');
  routeInterrupt(device, registers);
  const doorbell = device.bar(0).ioeventfd(Reg.ICS, 32, CAUSE_RXQ0);
  const shots = new Shots(Number(count));
  vector.on('interrupt', () => {
    shots.arrived();
    armInterrupt(registers);
    shots.acknowledge();
  });
  armInterrupt(registers);
  await shots.run(signaller, doorbell.fd, gapNs, 'wakeup');
}

void main();
