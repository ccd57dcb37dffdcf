import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { devices } from '../../../lab/devices';
import { native } from '../../../lib/native';
import { opened } from '../support/bound';
import { loopback, silence } from '../support/interrupts';
import { labSuite } from '../support/suite';

labSuite('MSI-X grows while it is in use', () => {
  const nic = opened(devices.nicA);
  afterEach(() => nic.device.msix.disable());

  it('vector by vector; where all have to be set up anew, those there were get one signal to be safe', async () => {
    const { msix } = nic.device;
    const [first] = msix.enable(1);
    await loopback([first]);
    for (let i = 1; i < msix.count; i++) {
      const totals = msix.enabled.map(vector => vector.total);
      const [added] = msix.enable({ start: i, count: 1 });
      if (!msix.canGrow) {
        for (const vector of msix.enabled.slice(0, i))
          assert.equal(await vector.wait({ timeoutMs: 20_000 }), 1);
      }
      await silence(...msix.enabled);
      assert.deepEqual(
        msix.enabled.map(vector => vector.total),
        [...totals.map(total => total + (msix.canGrow ? 0 : 1)), 0],
      );
      await loopback(msix.enabled);
      assert.equal(added.index, i);
    }
  });

  it('below those that are enabled, without disturbing them', async () => {
    const { msix } = nic.device;
    const upper = msix.enable({ start: 3, count: 2 });
    const lower = msix.enable({ start: 0, count: 2 });
    await silence(...upper);
    await loopback([...lower, ...upper]);
  });

  it('leaves the old set as it was when the new one cannot be had', async () => {
    const { msix } = nic.device;
    const before = msix.enable(2);
    native().failNext('VFIO_DEVICE_SET_IRQS', constants.errno.ENOSPC, msix.canGrow ? 0 : 1);
    assert.throws(() => msix.enable({ start: 2, count: 2 }), {
      code: 'ENOSPC',
      syscall: 'VFIO_DEVICE_SET_IRQS',
      message: /too few interrupt vectors/,
    });
    assert.deepEqual(msix.enabled, before);
    for (const vector of before) vector.waitSync(0);
    await loopback(before);
    msix.enable({ start: 2, count: 2 });
    for (const vector of before) vector.waitSync(0);
    await loopback(msix.enabled);
  });
});
