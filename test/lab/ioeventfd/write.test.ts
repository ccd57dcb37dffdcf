import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import type { Mapping } from 'vfio';
import { devices } from '../../../lab/devices';
import { covers } from '../../support/covers';
import { opened } from '../support/bound';
import { held } from '../support/held';
import { allSent, Cause, Reg, routeInterrupts } from '../support/nic';
import { labSuite } from '../support/suite';

/** Registers of the NVMe controller that keep what is written while it is disabled, in any width. */
const nvme = { adminQueueAttributes: 0x24, adminSubmissionQueue: 0x28 } as const;

labSuite('ioeventfd: the kernel writes a register', () => {
  const disk = opened(devices.nvme);
  const nic = opened(devices.nicA);
  const testdev = opened(devices.testdev);
  let registers: Mapping;
  before(() => (registers = disk.device.bar(0).map()));

  for (const [width, value] of [
    [8, 0x5a],
    [16, 0x1234],
    [32, 0x89ab_cdef],
  ] as const) {
    it(`of ${width} bits`, () => {
      const at = nvme.adminQueueAttributes;
      registers.write32(at, 0);
      using doorbell = disk.device.bar(0).ioeventfd(at, width, value);
      assert.deepEqual(
        [doorbell.region, doorbell.offset, doorbell.width, doorbell.value],
        [disk.device.bar(0), at, width, BigInt(value)],
      );
      assert.equal(registers.read32(at), 0, 'not before it rings');
      doorbell.trigger();
      assert.equal(registers.read32(at), value);
      covers('VFIO_DEVICE_IOEVENTFD', `VFIO_DEVICE_IOEVENTFD_${width}` as const);
    });
  }

  it('of 64 bits', () => {
    const at = nvme.adminSubmissionQueue;
    using doorbell = disk.device.bar(0).ioeventfd(at, 64, 0x1122_3344_5566_7000n);
    registers.write64(at, 0n);
    doorbell.trigger();
    assert.equal(registers.read64(at), 0x1122_3344_5566_7000n);
    covers('VFIO_DEVICE_IOEVENTFD_64');
  });

  it('once for each time it rings, whoever rings it', () => {
    const bar = testdev.device.bar(0);
    bar.write8(0, 0);
    // pci-testdev counts the writes to an offset it names.
    const counted = (): number => bar.read32(12);
    using doorbell = bar.ioeventfd(bar.read32(4), 8, 0xfa);
    const before = counted();
    for (let i = 1; i <= 3; i++) {
      doorbell.trigger();
      assert.equal(counted(), before + i);
    }
    fs.writeSync(doorbell.fd, new BigUint64Array([1n]));
    assert.equal(counted(), before + 4);
    fs.writeSync(doorbell.fd, new BigUint64Array([100n]));
    assert.equal(counted(), before + 5, 'a count of a hundred is one write');
  });

  it('of I/O ports too', () => {
    const [ports, memory] = [nic.device.bar(2), nic.device.bar(0)];
    memory.write32(Reg.MTA, 0);
    ports.write32(0, Reg.MTA);
    using doorbell = ports.ioeventfd(4, 32, 0x7777);
    doorbell.trigger();
    assert.equal(memory.read32(Reg.MTA), 0x7777);
  });

  it('and that may be what makes the device interrupt', async () => {
    const { device } = nic;
    const bar = device.bar(0).map();
    const [vector] = device.msix.enable(1);
    device.enableBusMaster();
    routeInterrupts(bar);
    bar.write32(Reg.IMS, Cause.RXQ0);
    using doorbell = device.bar(0).ioeventfd(Reg.ICS, 32, Cause.RXQ0);
    const fired = vector.wait({ timeoutMs: 20_000 });
    doorbell.trigger();
    assert.ok((await fired) > 0);
    await allSent();
    device.msix.disable();
    device.disableBusMaster();
    bar.close();
  });

  it('until it is closed, and again when it is made anew', () => {
    const before = held();
    const at = nvme.adminQueueAttributes;
    const doorbell = disk.device.bar(0).ioeventfd(at, 32, 1);
    doorbell.close();
    doorbell.close();
    doorbell[Symbol.dispose]();
    assert.equal(doorbell.closed, true);
    assert.throws(() => doorbell.trigger(), { code: 'ERR_VFIO_CLOSED' });
    assert.throws(() => doorbell.fd, { code: 'ERR_VFIO_CLOSED' });
    assert.deepEqual(held(), before);
    registers.write32(at, 0);
    using again = disk.device.bar(0).ioeventfd(at, 32, 1);
    again.trigger();
    assert.equal(registers.read32(at), 1);
  });

  it('each value of an offset has its own', () => {
    const at = nvme.adminQueueAttributes;
    const doorbells = [1, 2, 3].map(value => disk.device.bar(0).ioeventfd(at, 32, value));
    for (const doorbell of [...doorbells].reverse()) {
      doorbell.trigger();
      assert.equal(BigInt(registers.read32(at)), doorbell.value);
    }
    doorbells[1]?.close();
    doorbells[2]?.trigger();
    assert.equal(registers.read32(at), 3);
    for (const doorbell of doorbells) doorbell.close();
  });
});
