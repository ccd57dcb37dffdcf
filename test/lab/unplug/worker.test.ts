import assert from 'node:assert/strict';
import path from 'node:path';
import { Device } from 'vfio';
import { devices } from '../../../lab/devices';
import { type Body, createWorker } from '../../support/processes';
import { bound } from '../support/bound';
import { Reg } from '../support/nic';
import { pulling } from '../support/replug';
import { labSuite } from '../support/suite';

const ID = 0x0100_00ed;
const dead = 0xffff_ffff;
const address = devices.edu;
const index = path.join(__dirname, '..', '..', '..', 'lib', 'index.js');

labSuite('a device that a worker has', function () {
  bound(devices.nicA);
  this.timeout(120_000);

  it('is gone there, and nowhere else', async () => {
    const body: Body<{ index: string; address: string }> = async ({ require }, given) => {
      const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
      const { Device } = require(given.index) as typeof import('vfio');
      const device = await Device.open(given.address, { bind: true });
      const told: string[] = [];
      device.on('gone', () => told.push('gone')).on('back', () => told.push('back'));
      const registers = device.bar(0).map();
      const seen = new Set<number>();
      for (let i = 0; i < 100; i++) {
        if (i % 20 === 10) device.config.memoryDecoding = false;
        if (i % 20 === 0) device.config.memoryDecoding = true;
        seen.add(registers.read32(0));
        await new Promise(resolve => setImmediate(resolve));
      }
      await device.close();
      parentPort?.postMessage({ seen: [...seen], told: told.join(' ') });
    };
    await using device = await Device.open(devices.nicA);
    const told: string[] = [];
    device.on('gone', () => told.push('gone'));
    const registers = device.bar(0).map();
    const { message, ended } = createWorker(body, { index, address });
    const result = await message();
    assert.deepEqual(result, { seen: [ID, dead], told: 'gone back gone back gone back gone back gone' });
    assert.equal(await ended, 0);
    assert.notEqual(registers.read32(Reg.STATUS), dead);
    assert.deepEqual(told, []);
  });

  it('is closed there when it is pulled', async () => {
    const body: Body<{ index: string; address: string }> = async ({ require }, given) => {
      const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
      const { Device } = require(given.index) as typeof import('vfio');
      const device = await Device.open(given.address, { bind: true });
      const registers = device.bar(0).map();
      let reads = 0;
      parentPort?.postMessage('open');
      try {
        for (;;) {
          if (registers.read32(0) !== 0x0100_00ed) throw new Error('another value');
          reads++;
          await new Promise(resolve => setImmediate(resolve));
        }
      } catch (error) {
        parentPort?.postMessage([reads > 0, (error as NodeJS.ErrnoException).code]);
      }
    };
    const { message, ended } = createWorker(body, { index, address });
    assert.equal(await message(), 'open');
    const told = message();
    const pulled = pulling(address, 'edu', () => told);
    assert.deepEqual(await pulled, [true, 'ERR_VFIO_CLOSED']);
    assert.equal(await ended, 0);
  });
});
