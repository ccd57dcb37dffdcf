import assert from 'node:assert/strict';
import { Device } from 'vfio';
import { devices } from '../../../lab/devices';
import { bound } from '../support/bound';
import { Edu } from '../support/edu';
import { collect, collectUntil } from '../support/gc';
import { held, mappings } from '../support/held';
import { labSuite } from '../support/suite';

labSuite('memory that was a mapping', () => {
  bound(devices.edu);

  /** Keeps the raw memory of a mapping over its end. */
  async function outlived(end: (device: Device) => void | Promise<void>): Promise<Uint32Array> {
    const device = await Device.open(devices.edu);
    const kept = new Uint32Array(device.bar(0).map().buffer);
    assert.equal(kept[0], 0x0100_00ed);
    await end(device);
    return kept;
  }

  it('reads all-ones everywhere once its device is closed, and is ordinary memory', async () => {
    const before = held();
    const kept = await outlived(device => device.close());
    assert.equal(held().deviceMappings, before.deviceMappings, 'the kernel’s device is not held by it');
    assert.equal(kept.length, 0x10_0000 / 4, 'not detached');
    assert.ok(kept.every(word => word === 0xffff_ffff));
    kept[5] = 7;
    assert.equal(kept[5], 7);
    kept.fill(0);
  });

  it('never is the device again, which opens at once', async () => {
    const kept = await outlived(device => device.closeSync());
    await using device = await Device.open(devices.edu);
    using mapping = device.bar(0).map();
    mapping.write32(Edu.LIVENESS, 0x55);
    assert.equal(mapping.read32(Edu.LIVENESS), ~0x55 >>> 0);
    assert.equal(kept[0], 0xffff_ffff);
    kept[Edu.LIVENESS / 4] = 1;
    assert.equal(mapping.read32(Edu.LIVENESS), ~0x55 >>> 0);
  });

  it('is dead as well when only the mapping was closed', async () => {
    await using device = await Device.open(devices.edu);
    const mapping = device.bar(0).map();
    const kept = new Uint32Array(mapping.buffer);
    mapping.close();
    assert.equal(kept[0], 0xffff_ffff);
    assert.equal(device.bar(0).read32(Edu.ID), 0x0100_00ed);
  });

  it('goes when nobody holds it any more', async () => {
    const dead = (): number => mappings().filter(line => line.includes('memfd:')).length;
    await collect();
    const before = dead();
    const kept: Uint32Array[] = [];
    for (let i = 0; i < 5; i++) kept.push(await outlived(device => device.closeSync()));
    assert.equal(dead(), before + kept.length);
    kept.length = 0;
    await collectUntil(() => dead() <= before);
  });
});
