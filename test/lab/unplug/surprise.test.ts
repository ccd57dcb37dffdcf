import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as fs from 'node:fs';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { Device, type VfioError } from 'vfio';
import { devices } from '../../../lab/devices';
import { Adopter } from '../../support/adopter';
import { Edu, EduCard } from '../support/edu';
import { held } from '../support/held';
import { Monitor, slotOf } from '../support/monitor';
import { becomes, present } from '../support/replug';
import { labSuite } from '../support/suite';

const address = devices.edu;
const ID = 0x0100_00ed;

/**
 * Cuts the power of the slot that a device is in, behind the kernel's back: the emulated slot then lets go of its card at
 * once, and the kernel hears of it afterwards, as when somebody pulls a card without pressing the button.
 */
function cutPower(device: string): void {
  const slotCapability = 0x10;
  const slotControl = 0x18;
  const off = 0b111 << 8; // the power controller, and the indicator
  const port = path.dirname(fs.realpathSync(`/sys/bus/pci/devices/${device}`));
  const file = fs.openSync(`${port}/config`, 'r+');
  try {
    const config = Buffer.alloc(256);
    fs.readSync(file, config, 0, 256, 0);
    let at = config.readUInt8(0x34);
    while (config.readUInt8(at) !== slotCapability) at = config.readUInt8(at + 1);
    const control = Buffer.alloc(2);
    control.writeUInt16LE(config.readUInt16LE(at + slotControl) | off);
    fs.writeSync(file, control, 0, 2, at + slotControl);
  } finally {
    fs.closeSync(file);
  }
}

/** Has the card torn out, waits for `work`, and puts it back. */
async function tearing<T>(work: Promise<T>): Promise<T> {
  using monitor = await Monitor.connect();
  const slot = slotOf(address);
  cutPower(address);
  try {
    await monitor.unplugged(slot);
    const result = await work;
    await becomes(address, false);
    return result;
  } finally {
    if (!present(address)) {
      await monitor.plug(slot, 'edu');
      await becomes(address, true);
    }
  }
}

labSuite('a device that is torn out while it is used', function () {
  this.timeout(120_000);
  const open = (): Promise<Device> => Device.open(address, { bind: true });

  afterEach('the card is back and works', async () => {
    await using device = await open();
    assert.equal(device.bar(0).map().read32(Edu.ID), ID);
  });

  it('is closed by itself, under a poll loop, in a worker too, and nothing faults', async () => {
    const before = held();
    {
      const device = await open();
      const registers = device.bar(0).map();
      const memory = device.dma.alloc(4096);
      await using worker = await Adopter.start({ mapping: registers.share(), buffer: memory.share() });
      const there = worker.run(async ({ mapping }) => {
        try {
          for (;;) {
            mapping.read32(0);
            await new Promise(resolve => setImmediate(resolve));
          }
        } catch (error) {
          return (error as { code?: string }).code;
        }
      });
      const here = (async () => {
        try {
          for (;;) {
            for (let i = 0; i < 20; i++) registers.read32(Edu.ID);
            await turn();
          }
        } catch (error) {
          return (error as VfioError).code;
        }
      })();
      await tearing(once(device, 'close'));
      assert.deepEqual(await Promise.all([here, there]), ['ERR_VFIO_CLOSED', 'ERR_VFIO_CLOSED']);
      await assert.rejects(
        worker.run(({ buffer }) => buffer.u8),
        { code: 'ERR_VFIO_CLOSED' },
      );
    }
    assert.deepEqual(held(), before);
  });

  it('is closed by itself in the middle of DMA and interrupts', async () => {
    const before = held();
    const device = await open();
    const card = new EduCard(device);
    const memory = device.dma.alloc(4096, { addressBits: 28 });
    const [vector] = device.msi.enable(1);
    device.enableBusMaster();
    let interrupts = 0;
    vector.on('interrupt', () => {
      interrupts++;
      card.acknowledge();
      card.raise();
    });
    card.raise();
    while (interrupts < 10) await turn();
    const writing = card.writeTo(memory.iova, 64).catch((error: unknown) => (error as VfioError).code);
    await tearing(once(device, 'close'));
    assert.ok([undefined, 'ERR_VFIO_CLOSED'].includes((await writing) as string | undefined));
    assert.deepEqual(held(), before);
  });
});
