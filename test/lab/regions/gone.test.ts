import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { Device } from 'vfio';
import { devices } from '../../../lab/devices';
import { bound } from '../support/bound';
import { Edu } from '../support/edu';
import { Reg } from '../support/nic';
import { labSuite } from '../support/suite';

const ID = 0x0100_00ed;
const dead = 0xffff_ffff;

/** What a device told of its memory, in order. */
function news(device: Device): string[] {
  const told: string[] = [];
  device.on('gone', () => told.push('gone')).on('back', () => told.push('back'));
  return told;
}

/** Until the loop has delivered what is there. */
async function turns(count = 5): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

labSuite('a device that stops answering', () => {
  bound(devices.edu, devices.nicA);

  it('is gone once, whatever the number of accesses and mappings, and is back under all of them', async () => {
    await using device = await Device.open(devices.edu);
    const told = news(device);
    const mappings = [device.bar(0).map(), device.bar(0).map()] as const;
    const words = new Uint32Array(mappings[1].buffer);
    device.config.memoryDecoding = false;
    await turns();
    assert.deepEqual(told, [], 'until an access finds out');
    for (let i = 0; i < 100; i++) assert.equal(mappings[0].read32(Edu.ID), dead);
    assert.deepEqual(
      mappings.map(mapping => mapping.dead),
      [true, false],
    );
    await turns();
    assert.equal(words[0], dead);
    await turns();
    assert.deepEqual(told, ['gone']);
    device.config.memoryDecoding = true;
    assert.deepEqual(
      [mappings[0].read32(Edu.ID), mappings[1].read32(Edu.ID), words[0], mappings[0].dead],
      [ID, ID, ID, false],
    );
    await turns();
    assert.deepEqual(told, ['gone', 'back']);
    mappings[0].write32(Edu.LIVENESS, 0x55);
    assert.equal(mappings[1].read32(Edu.LIVENESS), ~0x55 >>> 0);
  });

  it('under a loop that reads: that goes on, and hears of both', async () => {
    await using device = await Device.open(devices.edu);
    const told = news(device);
    const registers = device.bar(0).map();
    const seen = new Set<number>();
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 30; i++) {
        if (i === 10) device.config.memoryDecoding = false;
        if (i === 20) device.config.memoryDecoding = true;
        seen.add(registers.read32(Edu.ID));
        if (i % 5 === 0) await turn();
      }
    }
    await turns();
    assert.deepEqual([...seen], [ID, dead]);
    assert.deepEqual(told, Array<string[]>(20).fill(['gone', 'back']).flat());
  });

  it('is told in order when it was away and back within one turn of the loop', async () => {
    await using device = await Device.open(devices.edu);
    const told = news(device);
    const registers = device.bar(0).map();
    device.config.memoryDecoding = false;
    registers.read32(Edu.ID);
    device.config.memoryDecoding = true;
    assert.equal(registers.read32(Edu.ID), ID);
    await turns();
    assert.deepEqual(told, ['gone', 'back']);
  });

  it('may be asleep: D3 and back', async () => {
    await using device = await Device.open(devices.nicA);
    const told = news(device);
    const registers = device.bar(0).map();
    const status = registers.read32(Reg.STATUS);
    assert.notEqual(status, dead);
    const control = (device.config.find('Power Management')?.offset ?? 0) + 4;
    for (let round = 1; round <= 5; round++) {
      const gone = once(device, 'gone');
      device.config.write16(control, 3);
      assert.equal(device.config.read16(control) & 3, 3);
      assert.equal(registers.read32(Reg.STATUS), dead);
      await gone;
      // Memory decoding alone is not enough.
      device.config.memoryDecoding = true;
      assert.equal(registers.dead, true);
      const back = once(device, 'back');
      device.config.write16(control, 0);
      await back;
      assert.equal(registers.dead, false);
      assert.notEqual(registers.read32(Reg.STATUS), dead);
      assert.equal(told.length, 2 * round);
    }
  });

  it('may be let sleep by its user', async () => {
    await using device = await Device.open(devices.edu);
    const told = news(device);
    const registers = device.bar(0).map();
    const { lowPower } = device.features;
    lowPower.enter();
    for (let i = 0; i < 3; i++) assert.equal(registers.read32(Edu.ID), dead);
    await turns();
    lowPower.exit();
    assert.equal(registers.read32(Edu.ID), ID);
    await turns();
    assert.deepEqual(told, ['gone', 'back']);
  });

  it('closes while it is gone, and opens again', async () => {
    const device = await Device.open(devices.edu);
    const told = news(device);
    const registers = device.bar(0).map();
    device.config.memoryDecoding = false;
    registers.read32(Edu.ID);
    await device.close();
    await turns();
    assert.deepEqual(told, []);
    assert.throws(() => registers.dead, { code: 'ERR_VFIO_CLOSED' });
    await using again = await Device.open(devices.edu);
    assert.equal(again.bar(0).map().read32(Edu.ID), ID);
  });
});
