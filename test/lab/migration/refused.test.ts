import assert from 'node:assert/strict';
import { devices } from '../../../lab/devices';
import { needs } from '../../support/needs';
import { opened } from '../support/bound';
import { labSuite } from '../support/suite';

labSuite('migration: a device that cannot', () => {
  needs({ iommu: true, devices: [devices.edu] });
  const edu = opened(devices.edu);

  it('says so', () => {
    assert.throws(() => edu.device.features.migration, {
      code: 'ERR_VFIO_UNSUPPORTED',
      message: `${devices.edu} cannot be migrated`,
    });
  });
});
