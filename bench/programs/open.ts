/** Opening a device, mapping and reading a register, and closing it again; compare bench/c/open.c. */
import { Device } from '../../lib/device.js';
import { programArguments } from './arguments.js';
import { Reg } from './nic.js';
import { now, reportMedian } from './report.js';

function mapAndRead(device: Device): void {
  if (device.bar(0).map().read32(Reg.STATUS) === 0xffff_ffff) throw new Error('the device does not answer');
}

async function main(): Promise<void> {
  const [address, count] = programArguments('ADDRESS', 'TIMES');
  const times = Number(count);
  const [all, opening, closing, async] = Array.from({ length: 4 }, () => new Float64Array(times)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  // The first is warm-up.
  for (let i = -1; i < times; i++) {
    const start = now();
    const device = Device.openSync(address);
    mapAndRead(device);
    const open = now();
    device.closeSync();
    const end = now();
    if (i < 0) continue;
    all[i] = end - start;
    opening[i] = open - start;
    closing[i] = end - open;
  }
  for (let i = -1; i < times; i++) {
    const start = now();
    const device = await Device.open(address);
    mapAndRead(device);
    await device.close();
    if (i >= 0) async[i] = now() - start;
  }
  reportMedian('all', all);
  reportMedian('open', opening);
  reportMedian('close', closing);
  reportMedian('async', async);
}

void main();
