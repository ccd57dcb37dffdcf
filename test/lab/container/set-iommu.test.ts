import assert from 'node:assert/strict';
import { Container, Group, Iommu } from 'vfio';
import { devices } from '../../../lab/devices';
import { covers } from '../../support/covers';
import { bound } from '../support/bound';
import { labSuite } from '../support/suite';

labSuite('container: setting the IOMMU', () => {
  bound(devices.edu);
  let container: Container;
  let group: Group;
  beforeEach(() => {
    container = Container.open();
    group = Group.open(devices.edu);
  });
  afterEach(() => {
    container.close();
    group.close();
  });

  it('takes type1v2 unless told otherwise', () => {
    container.attach(group);
    assert.equal(container.iommuType, undefined);
    container.setIommu();
    assert.equal(container.iommuType, Iommu.Type1v2);
    covers('VFIO_SET_IOMMU', 'VFIO_TYPE1v2_IOMMU');
  });

  for (const [name, type] of Object.entries(Iommu)) {
    if (type === Iommu.NoIommu) continue;
    it(`works with ${name}: a device opens and memory is mapped`, () => {
      container.attach(group);
      container.setIommu(type);
      assert.equal(container.iommuType, type);
      using device = group.openDeviceSync(devices.edu);
      const buffer = container.dma.alloc(4096);
      assert.equal(device.dma, container.dma);
      assert.deepEqual(container.dma.buffers, [buffer]);
    });
  }

  it('needs a group first', () => {
    assert.throws(() => container.setIommu(), {
      code: 'ERR_VFIO_NO_IOMMU',
      message: /empty container.*attach a group/,
    });
  });

  it('happens once', () => {
    container.attach(group);
    container.setIommu();
    assert.throws(() => container.setIommu(), { code: 'ERR_VFIO_BUSY', message: /has its IOMMU already/ });
    assert.equal(container.iommuType, Iommu.Type1v2);
  });

  it('comes before mapping, before its info, and before opening devices', async () => {
    for (const attached of [false, true]) {
      if (attached) container.attach(group);
      const early = { code: 'ERR_VFIO_NO_IOMMU', message: /setIommu\(\)/ };
      assert.throws(() => container.dma.alloc(4096), early);
      await assert.rejects(container.dma.allocAsync(4096), early);
      assert.throws(() => container.dma.map(new SharedArrayBuffer(4096)), { code: /ERR_/ });
      assert.throws(() => container.iommuInfo(), early);
      assert.throws(() => group.openDeviceSync(devices.edu), early);
      await assert.rejects(group.openDevice(devices.edu), early);
    }
    assert.equal(container.dma.bytesMapped, 0);
  });

  it('refuses IOMMUs of other architectures', () => {
    container.attach(group);
    for (const type of [2, 7, 255]) {
      assert.throws(() => container.setIommu(type as 1), {
        code: 'ERR_OUT_OF_RANGE',
        message: /^type must be/,
      });
    }
    assert.throws(() => container.setIommu(Iommu.NoIommu), { syscall: 'VFIO_SET_IOMMU' });
    container.setIommu(Iommu.Type1);
  });
});
