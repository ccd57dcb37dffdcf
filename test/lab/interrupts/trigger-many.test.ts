import assert from 'node:assert/strict';
import { devices } from '../../../lab/devices';
import { covers } from '../../support/covers';
import { opened } from '../support/bound';
import { labSuite } from '../support/suite';

labSuite('MSI-X: firing several vectors at once', () => {
  const nvme = opened(devices.nvme);
  const msix = () => nvme.device.msix;
  afterEach(() => msix().disable());

  it('reaches those that were named, once each', async () => {
    const vectors = msix().enable(6);
    const counts = vectors.map(() => 0);
    const heard = new Promise<void>(resolve => {
      for (const [i, vector] of vectors.entries()) {
        vector.on('interrupt', count => {
          counts[i] = (counts[i] ?? 0) + count;
          if (counts.reduce((sum, one) => sum + one) === 3) resolve();
        });
      }
    });
    msix().trigger(4, 1, 2);
    await heard;
    await new Promise(resolve => setTimeout(resolve, 20));
    assert.deepEqual(counts, [0, 1, 1, 0, 1, 0]);
    covers('VFIO_IRQ_SET_DATA_BOOL', 'VFIO_IRQ_SET_ACTION_TRIGGER');
  });

  it('fires none when one of them is not enabled', () => {
    const [first] = msix().enable(2);
    assert.throws(() => msix().trigger(0, 2), {
      code: 'ERR_VFIO_CLOSED',
      message: /MSI-X vector 2 of 0000:03:00\.0 is closed/,
    });
    assert.equal(first.waitSync(0), 0);
  });

  it('refuses numbers of vectors that the device does not have', () => {
    const [first] = msix().enable(1);
    for (const index of [-1, 65, 0.5, NaN]) {
      assert.throws(() => msix().trigger(0, index), { code: 'ERR_OUT_OF_RANGE', message: /^indexes\[1\]/ });
    }
    msix().trigger();
    assert.equal(first.waitSync(0), 0);
  });
});
