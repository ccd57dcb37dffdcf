import assert from 'node:assert/strict';
import path from 'node:path';
import { native } from '../../../lib/native';
import { FileDevice } from '../../support/file-device';
import { type Body, createWorker } from '../../support/processes';
import { thrownBy } from './support';

type Support = typeof import('../../support/file-device');
const modules = { device: path.join(__dirname, '..', '..', 'support', 'file-device') };
const ones = { 8: 0xff, 16: 0xffff, 32: 0xffff_ffff, 64: 0xffff_ffff_ffff_ffffn } as const;

describe('a mapping of a device that stops answering', () => {
  const addon = native();

  it('reads all-ones in every width, everywhere, and says so once', () => {
    using device = new FileDevice();
    const bar = device.map();
    const io = addon.barAccessors(bar);
    assert.deepEqual(
      [io.read32(4096), addon.barDead(bar), addon.deviceDead(device.handle)],
      [2, false, false],
    );
    device.die();
    assert.equal(device.deaths(), 0, 'until an access finds out');
    assert.deepEqual(
      [io.read8(1), io.read16(2), io.read32(4096), io.read64(8192)],
      [ones[8], ones[16], ones[32], ones[64]],
    );
    assert.deepEqual([addon.barDead(bar), addon.deviceDead(device.handle)], [true, true]);
    assert.equal(device.deaths(), 1);
  });

  it('swallows writes of every width, the first one too', () => {
    using device = new FileDevice();
    const io = addon.barAccessors(device.map());
    device.die();
    assert.ok(io.write32(0, 5));
    assert.ok(io.write8(0, 5) && io.write16(0, 5) && io.write64(0, 5n));
    assert.equal(io.read64(0), ones[64]);
    device.answer();
    assert.equal(addon.deviceRevive(device.handle), 1);
    assert.equal(io.read32(0), 1, 'the device got none of them');
  });

  it('does so under plain views, in a loop that was reading', () => {
    using device = new FileDevice();
    const words = new Uint32Array(addon.barBuffer(device.map()));
    let turns = 0;
    while (words[1024] !== ones[32]) if (++turns === 1000) device.die();
    assert.equal(turns, 1000);
    assert.ok(words.every(word => word === ones[32]));
    assert.equal(device.deaths(), 1);
  });

  it('is the device again where that answers again, under views too, and can die again', () => {
    using device = new FileDevice();
    const bar = device.map();
    const io = addon.barAccessors(bar);
    const words = new Uint32Array(addon.barBuffer(bar));
    for (let round = 0; round < 500; round++) {
      device.die();
      assert.equal(round % 2 === 0 ? io.read32(0) : words[0], ones[32]);
      assert.equal(device.deaths(), 1);
      device.answer();
      assert.equal(io.read32(0), ones[32], 'not by itself');
      assert.equal(addon.deviceRevive(device.handle), 1);
      assert.deepEqual([io.read32(4096), words[2048], addon.barDead(bar)], [2, 3, false]);
    }
    assert.equal(addon.deviceRevive(device.handle), 0, 'none is dead');
  });

  it('dies again when it is put back too early', () => {
    using device = new FileDevice();
    const io = addon.barAccessors(device.map());
    device.die();
    io.read32(0);
    assert.equal(addon.deviceRevive(device.handle), 1);
    assert.equal(io.read32(0), ones[32]);
    assert.equal(device.deaths(), 2);
  });

  it('stays dead when the kernel refuses to map it again', () => {
    using device = new FileDevice();
    const bar = device.map();
    const io = addon.barAccessors(bar);
    device.die();
    io.read32(0);
    device.answer();
    addon.failNext('mmap', 12, 0);
    assert.equal(thrownBy(() => addon.deviceRevive(device.handle)).code, 'ENOMEM');
    assert.deepEqual([io.read32(0), addon.barDead(bar)], [ones[32], true]);
    assert.equal(addon.deviceRevive(device.handle), 1);
    assert.equal(io.read32(0), 1);
  });

  it('leaves other mappings alone, until those are touched', () => {
    using device = new FileDevice();
    using other = new FileDevice();
    const bars = [device.map(), device.map()] as const;
    const [one, two] = [addon.barAccessors(bars[0]), addon.barAccessors(bars[1])];
    const foreign = addon.barAccessors(other.map());
    device.die();
    one.read32(0);
    assert.deepEqual(
      bars.map(bar => addon.barDead(bar)),
      [true, false],
    );
    two.read32(0);
    assert.equal(device.deaths(), 2);
    assert.equal(foreign.read32(0), 1);
    device.answer();
    assert.equal(addon.deviceRevive(device.handle), 2);
    assert.deepEqual([one.read32(0), two.read32(0)], [1, 1]);
  });

  it('ends as any other', () => {
    const device = new FileDevice();
    const bar = device.map();
    const io = addon.barAccessors(bar);
    const words = new Uint32Array(addon.barBuffer(bar));
    device.die();
    words[0] = 7;
    device[Symbol.dispose]();
    assert.equal(io.read32(0), undefined);
    assert.equal(words[0], ones[32], 'no trace of the store');
  });

  it('is a matter of its own environment: two workers', async () => {
    const body: Body<typeof modules> = ({ native, require }, paths) => {
      const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
      const { FileDevice } = require(paths.device) as Support;
      const device = new FileDevice();
      const words = new Uint32Array(native.barBuffer(device.map()));
      let survived = 0;
      for (let round = 0; round < 200; round++) {
        device.die();
        if (words[0] === 0xffff_ffff) survived++;
        device.answer();
        native.deviceRevive(device.handle);
      }
      parentPort?.postMessage([survived, device.deaths(), words[0]]);
      device[Symbol.dispose]();
    };
    const workers = [createWorker(body, modules), createWorker(body, modules)];
    using device = new FileDevice();
    const io = addon.barAccessors(device.map());
    const told = await Promise.all(workers.map(one => one.message()));
    assert.deepEqual(told, [
      [200, 200, 1],
      [200, 200, 1],
    ]);
    assert.deepEqual(await Promise.all(workers.map(one => one.ended)), [0, 0]);
    assert.deepEqual([io.read32(0), device.deaths()], [1, 0]);
  });
});
