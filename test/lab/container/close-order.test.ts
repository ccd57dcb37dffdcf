import assert from 'node:assert/strict';
import { Container, type Device, Group } from 'vfio';
import { devices } from '../../../lab/devices';
import { bound } from '../support/bound';
import { held } from '../support/held';
import { labSuite } from '../support/suite';

interface Chain {
  container: Container;
  group: Group;
  device: Device;
}
const orders: (keyof Chain)[][] = [
  ['device', 'group', 'container'],
  ['device', 'container', 'group'],
  ['group', 'device', 'container'],
  ['group', 'container', 'device'],
  ['container', 'device', 'group'],
  ['container', 'group', 'device'],
];

labSuite('container, group and device close in any order', () => {
  bound(devices.edu);

  function open(): Chain {
    const container = Container.open();
    const group = Group.open(devices.edu);
    container.attach(group);
    container.setIommu();
    return { container, group, device: group.openDeviceSync(devices.edu) };
  }

  for (const order of orders) {
    it(order.join(', then '), async () => {
      const before = held();
      const chain = open();
      const mapping = chain.device.bar(0).map();
      const [vector] = chain.device.msi.enable(1);
      const buffer = chain.container.dma.alloc(4096);
      for (const which of order) await chain[which].close();
      assert.deepEqual(
        [chain.device.closed, chain.group.closed, chain.container.closed, mapping.closed, vector.closed],
        [true, true, true, true, true],
      );
      assert.equal(buffer.freed, true);
      assert.deepEqual(held(), before);
    });
  }

  it('but not while a device is being opened', async () => {
    const before = held();
    const container = Container.open();
    const group = Group.open(devices.edu);
    container.attach(group);
    container.setIommu();
    const opening = group.openDevice(devices.edu);
    const busy = { code: 'ERR_VFIO_BUSY', message: /0000:04:00\.0 is being opened.*await that/ };
    assert.throws(() => group.close(), busy);
    assert.throws(() => container.detach(group), busy);
    assert.throws(() => container.close(), busy);
    const device = await opening;
    assert.deepEqual([device.closed, group.closed, container.closed], [false, false, false]);
    container.close();
    group.close();
    assert.equal(device.closed, true);
    assert.deepEqual(held(), before);
  });

  it('and are there again at once', () => {
    for (let i = 0; i < 3; i++) {
      const { container, group } = open();
      container.close();
      group.close();
    }
  });
});
