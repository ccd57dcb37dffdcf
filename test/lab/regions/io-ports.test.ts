import assert from 'node:assert/strict';
import { devices } from '../../../lab/devices';
import { covers } from '../../support/covers';
import { opened } from '../support/bound';
import { Reg } from '../support/nic';
import { labSuite } from '../support/suite';

labSuite('BARs in I/O port space', () => {
  const nic = opened(devices.nicA);
  const testdev = opened(devices.testdev);

  it('are read and written: the NIC shows its registers through two ports', () => {
    const ports = nic.device.bar(2);
    const [address, data] = [0, 4];
    assert.equal(ports.ioPort, true);
    using registers = nic.device.bar(0).map();
    ports.write32(address, Reg.STATUS);
    assert.equal(ports.read32(address), Reg.STATUS);
    assert.equal(ports.read32(data), registers.read32(Reg.STATUS));
    ports.write32(address, Reg.MTA);
    ports.write32(data, 0x1234_5678);
    assert.equal(registers.read32(Reg.MTA), 0x1234_5678);
    covers('VFIO_PCI_BAR2_REGION_INDEX');
  });

  it('take every width that a port can have', () => {
    const ports = testdev.device.bar(1);
    ports.write8(0, 0);
    const bytes = new Uint8Array(32);
    ports.read(0, bytes);
    assert.equal(Buffer.from(bytes).toString('latin1', 16), 'portio-no-eventf');
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < 32; i++) assert.equal(ports.read8(i), view.getUint8(i));
    for (let i = 0; i < 32; i += 2) assert.equal(ports.read16(i), view.getUint16(i, true));
    for (let i = 0; i < 32; i += 4) assert.equal(ports.read32(i), view.getUint32(i, true));
    for (let i = 0; i < 32; i += 8) assert.equal(ports.read64(i), view.getBigUint64(i, true));
    covers('VFIO_PCI_BAR1_REGION_INDEX');
  });

  it('cannot be mapped, and the error says why and what to do', () => {
    const ports = nic.device.bar(2);
    assert.deepEqual(ports.areas, []);
    assert.throws(() => ports.map(), {
      code: 'ERR_VFIO_UNSUPPORTED',
      message: /BAR2 of 0000:01:00\.0 cannot be mapped: it is in I\/O port space.*read and write methods/,
    });
  });

  it('end where they end', () => {
    const ports = nic.device.bar(2);
    assert.equal(ports.read32(28) >>> 0, ports.read32(28));
    assert.throws(() => ports.read32(32), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => ports.write8(32, 0), { code: 'ERR_OUT_OF_RANGE' });
  });
});
