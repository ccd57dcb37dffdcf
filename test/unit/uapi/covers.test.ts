import assert from 'node:assert/strict';
import * as os from 'node:os';
import * as path from 'node:path';
import { beginClaims, covers, endClaims, expectClaims, refusal } from '../../support/covers.js';

describe('uapi: what tests claim', () => {
  // The reporter's part, played here; it finds no claims of these tests themselves.
  const test = { file: path.join(__dirname, 'gauge.test.js') };

  it('is kept with the test, the machine and the kernel', () => {
    beginClaims();
    covers('VFIO_SET_IOMMU', 'VFIO_CHECK_EXTENSION');
    covers('VFIO_CHECK_EXTENSION');
    refusal('VFIO_EEH');
    assert.deepEqual(endClaims(test), {
      proven: ['VFIO_CHECK_EXTENSION', 'VFIO_SET_IOMMU'],
      refused: ['VFIO_EEH'],
      file: 'test/unit/uapi/gauge.test.ts',
      profile: process.env['LAB_PROFILE'],
      kernel: os.release(),
    });
  });

  it('is nothing for a test that claims nothing', () => {
    beginClaims();
    assert.equal(endClaims(test), undefined);
  });

  it('belongs in a test', () => {
    expectClaims();
    assert.throws(() => covers('VFIO_SET_IOMMU'), /belong in a test/);
    assert.throws(() => refusal('VFIO_EEH'), /belong in a test/);
  });
});
