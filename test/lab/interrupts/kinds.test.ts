import assert from 'node:assert/strict';
import { devices } from '../../../lab/devices';
import { opened } from '../support/bound';
import { held } from '../support/held';
import { loopback } from '../support/interrupts';
import { labSuite } from '../support/suite';

labSuite('one kind of interrupt at a time', () => {
  const nic = opened(devices.nicA);
  const kinds = {
    INTx: { enable: () => nic.device.intx.enable(), disable: () => nic.device.intx.disable() },
    MSI: { enable: () => nic.device.msi.enable(1)[0], disable: () => nic.device.msi.disable() },
    'MSI-X': { enable: () => nic.device.msix.enable(2)[0], disable: () => nic.device.msix.disable() },
  };
  afterEach(() => {
    for (const { disable } of Object.values(kinds)) disable();
  });

  for (const [name, kind] of Object.entries(kinds)) {
    it(`${name} keeps the others out until it is disabled, and says so`, async () => {
      const before = held();
      const vector = kind.enable();
      for (const [other, { enable }] of Object.entries(kinds)) {
        if (other === name) continue;
        assert.throws(enable, {
          code: 'ERR_VFIO_BUSY',
          message: `0000:01:00.0 uses ${name}, so ${other} cannot be enabled. Try: disable ${name} first: a device has one kind of interrupt at a time`,
        });
      }
      await loopback([vector]);
      kind.disable();
      assert.equal(vector.closed, true);
      assert.deepEqual(held(), before);
      for (const { enable, disable } of Object.values(kinds)) {
        await loopback([enable()]);
        disable();
      }
    });
  }
});
