import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { devices } from '../../../lab/devices';
import { skip } from '../../support/skip';
import { opened } from '../support/bound';
import { ADDRESS_BITS, EduCard, fillPattern } from '../support/edu';
import { held } from '../support/held';
import { labSuite } from '../support/suite';
import { parameter, withParameter } from '../support/sysfs';

const MiB = 2 ** 20;
const free = (): number => Number(fs.readFileSync(parameter.hugePages2M.replace('nr_', 'free_'), 'utf8'));

labSuite('huge pages', () => {
  const edu = opened(devices.edu);
  afterEach(() => edu.device.dma.freeAll());

  it('are missing: the error says how many are needed, how many there are, and how to get more', () => {
    const before = held();
    assert.throws(() => edu.device.dma.alloc(5 * MiB, { hugepages: true }), {
      code: 'ENOMEM',
      syscall: 'mmap',
      message:
        /3 huge pages of 2097152 bytes are needed, 0 of 0 are free.*echo 3 > .*hugepages-2048kB\/nr_hugepages/,
    });
    assert.deepEqual(held(), before);
  });

  describe('of 2 MiB', () => {
    withParameter(parameter.hugePages2M, '4');

    it('are taken from the pool and given back to it', () => {
      assert.equal(free(), 4);
      const buffer = edu.device.dma.alloc(3 * MiB, { hugepages: '2M' });
      assert.equal(buffer.byteLength, 4 * MiB, 'rounded up to whole ones');
      assert.equal(buffer.iova % BigInt(2 * MiB), 0n);
      assert.ok(buffer.u8.subarray(0, 4096).every(byte => byte === 0));
      assert.equal(free(), 2);
      buffer.free();
      assert.equal(free(), 4);
    });

    it('are seen by the device as one piece', async () => {
      const card = new EduCard(edu.device);
      edu.device.enableBusMaster();
      const buffer = edu.device.dma.alloc(1, { hugepages: true, addressBits: ADDRESS_BITS });
      const across = 4096 - 128;
      fillPattern(buffer.u8.subarray(across, across + 256), 9);
      await card.readFrom(buffer.iovaAt(across), 256);
      await card.writeTo(buffer.iovaAt(2 * MiB - 256), 256);
      assert.deepEqual(buffer.u8.slice(2 * MiB - 256), buffer.u8.slice(across, across + 256));
    });

    it('run out: the error says the numbers', () => {
      const buffer = edu.device.dma.alloc(6 * MiB, { hugepages: true });
      assert.throws(() => edu.device.dma.alloc(4 * MiB, { hugepages: true }), {
        code: 'ENOMEM',
        message: /2 huge pages of 2097152 bytes are needed, 1 of 4 are free/,
      });
      buffer.free();
      assert.equal(free(), 4);
    });
  });

  it('of 1 GiB are used where the machine has one', function () {
    const before = fs.readFileSync(parameter.hugePages1G, 'utf8').trim();
    fs.writeFileSync(parameter.hugePages1G, '1');
    try {
      if (Number(fs.readFileSync(parameter.hugePages1G, 'utf8')) === 0) {
        assert.throws(() => edu.device.dma.alloc(4096, { hugepages: '1G' }), {
          code: 'ENOMEM',
          message: /1 huge pages of 1073741824 bytes are needed, 0 of 0 are free/,
        });
        skip(this, 'the machine has no gigabyte of memory in one piece');
      }
      const buffer = edu.device.dma.alloc(4096, { hugepages: '1G' });
      assert.equal(buffer.byteLength, 1024 * MiB);
      assert.equal(buffer.iova % BigInt(1024 * MiB), 0n);
      buffer.free();
    } finally {
      fs.writeFileSync(parameter.hugePages1G, before);
    }
  });
});
