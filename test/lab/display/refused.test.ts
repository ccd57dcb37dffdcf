import assert from 'node:assert/strict';
import { devices } from '../../../lab/devices';
import { refusal } from '../../support/covers';
import { needs } from '../../support/needs';
import { opened } from '../support/bound';
import { labSuite } from '../support/suite';

labSuite('display: a device without one', () => {
  needs({ iommu: true, devices: [devices.edu] });
  const edu = opened(devices.edu);

  it('says so', () => {
    const { display } = edu.device;
    for (const via of ['region', 'dma-buf'] as const) {
      assert.equal(display.supports(via), false);
      assert.throws(() => display.plane({ via }), {
        code: 'ERR_VFIO_UNSUPPORTED',
        message: `${devices.edu} has no display that is reached by ${via}`,
      });
    }
    assert.throws(() => display.dmaBuf(0), { code: 'ERR_VFIO_UNSUPPORTED' });
    refusal('VFIO_DEVICE_QUERY_GFX_PLANE', 'VFIO_DEVICE_GET_GFX_DMABUF');
  });
});
