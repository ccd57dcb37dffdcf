import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import type { PciCapability } from 'vfio';
import { devices } from '../../../lab/devices';
import { covers } from '../../support/covers';
import { opened } from '../support/bound';
import { labSuite } from '../support/suite';

const brief = ({ id, name, extended }: PciCapability): [number, string, boolean] => [id, name, extended];

labSuite('config space', () => {
  const nic = opened(devices.nicA);
  const nvme = opened(devices.nvme);
  const edu = opened(devices.edu);
  const testdev = opened(devices.testdev);

  it('is walked: standard capabilities, then extended ones', () => {
    assert.deepEqual(nic.device.config.capabilities().map(brief), [
      [0x01, 'Power Management', false],
      [0x05, 'MSI', false],
      [0x10, 'PCI Express', false],
      [0x11, 'MSI-X', false],
      [0x0001, 'Advanced Error Reporting', true],
      [0x0003, 'Device Serial Number', true],
    ]);
    assert.deepEqual(nvme.device.config.capabilities().map(brief), [
      [0x11, 'MSI-X', false],
      [0x10, 'PCI Express', false],
      [0x01, 'Power Management', false],
    ]);
    assert.deepEqual(edu.device.config.capabilities().map(brief), [[0x05, 'MSI', false]]);
    assert.deepEqual(testdev.device.config.capabilities(), []);
    covers('VFIO_PCI_CONFIG_REGION_INDEX');
  });

  it('finds a capability by name and by number', () => {
    const { config } = nic.device;
    const msix = config.find('MSI-X') ?? assert.fail();
    assert.equal(config.find(0x11)?.offset, msix.offset);
    assert.equal(config.read8(msix.offset), 0x11);
    assert.equal((config.read16(msix.offset + 2) & 0x7ff) + 1, 5);
    const aer = config.findExtended('Advanced Error Reporting') ?? assert.fail();
    assert.deepEqual([aer.offset, aer.version, aer.extended], [0x100, 2, true]);
    assert.equal(config.read16(aer.offset), 0x0001);
    // An id means another thing in the extended list.
    assert.equal(config.findExtended(0x0003)?.name, 'Device Serial Number');
    assert.equal(config.find(0x03), undefined);
    assert.equal(config.findExtended('SR-IOV'), undefined);
    assert.equal(edu.device.config.findExtended(0x0001), undefined);
  });

  it('holds the serial number made of the MAC address', () => {
    const { config } = nic.device;
    const { offset } = config.findExtended('Device Serial Number') ?? assert.fail();
    assert.equal(config.read32(offset + 8), 0x5254_00ff);
    assert.equal(config.read32(offset + 4), 0xff00_0001);
  });

  it('knows where the MSI-X table is', () => {
    assert.deepEqual(nic.device.config.msixTable(), { bar: 3, offset: 0, size: 5 * 16 });
    assert.deepEqual(nvme.device.config.msixTable(), { bar: 0, offset: 0x2000, size: 65 * 16 });
    assert.equal(edu.device.config.msixTable(), undefined);
  });

  it('has the raw base address registers', () => {
    const { config } = nic.device;
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5].map(index => config.barRegister(index) & 1),
      [0, 0, 1, 0, 0, 0],
    );
  });

  it('turns bus mastering on and off, for real', () => {
    const { device } = nic;
    const real = (): number =>
      fs.readFileSync(`/sys/bus/pci/devices/${devices.nicA}/config`).readUInt16LE(4) & 4;
    assert.deepEqual([device.config.busMaster, real()], [false, 0]);
    device.enableBusMaster();
    assert.deepEqual([device.config.busMaster, real()], [true, 4]);
    device.enableBusMaster();
    device.config.busMaster = false;
    assert.deepEqual([device.config.busMaster, real()], [false, 0]);
    device.config.busMaster = true;
    device.disableBusMaster();
    assert.deepEqual([device.config.busMaster, real()], [false, 0]);
    assert.equal(device.config.memoryDecoding, true, 'the other bits stay');
  });

  it('is read in every width, to its end', () => {
    const { config } = nic.device;
    assert.deepEqual([config.read8(0), config.read16(0), config.read32(0)], [0x86, 0x8086, 0x10d3_8086]);
    assert.equal(config.read64(0) & 0xffff_ffffn, 0x10d3_8086n);
    const all = new Uint8Array(config.size);
    assert.equal(config.read(0, all), 4096);
    assert.equal(new DataView(all.buffer).getUint32(0, true), 0x10d3_8086);
    config.read32(4092);
    assert.throws(() => config.read32(4096), { code: 'ERR_OUT_OF_RANGE', message: /offset/ });
    assert.equal(edu.device.config.size, 256, 'a device of the old bus has no extended space');
    assert.throws(() => edu.device.config.read8(256), { code: 'ERR_OUT_OF_RANGE' });
  });

  it('cannot be mapped', () => {
    assert.throws(() => nic.device.config.map(), {
      code: 'ERR_VFIO_UNSUPPORTED',
      message: /config .*cannot be mapped/,
    });
  });
});
