import assert from 'node:assert/strict';
import * as os from 'node:os';
import { lacking, type Needs } from '../../support/needs.js';

describe('runner: what a test needs', () => {
  it('is nothing unless it says so', () => {
    assert.equal(lacking({}), undefined);
  });

  it('is there', () => {
    assert.equal(lacking({ kernel: os.release(), files: ['/proc/self', '/sys'], devices: [] }), undefined);
  });

  for (const [wanted, reason] of [
    [{ kernel: '999.0' }, 'needs kernel 999.0'],
    [{ files: ['/proc', '/no/such/file'] }, 'needs /no/such/file'],
    [{ devices: ['ffff:00:00.0'] }, 'needs the device ffff:00:00.0'],
    [{ profile: 'no such machine' }, "needs the lab's no such machine"],
    [{ profile: ['this', 'that'] }, "needs the lab's this or that"],
  ] satisfies [Needs, string][]) {
    it(`is missing: ${reason.replace('needs ', '')}`, () => {
      assert.equal(lacking(wanted), reason);
    });
  }

  it('is either there or missing', () => {
    const either = (a: Needs, b: Needs): number => [a, b].filter(one => lacking(one) === undefined).length;
    assert.equal(either({ iommu: true }, { iommu: false }), 1);
    assert.equal(either({ iommufd: true }, { iommufd: false }), 1);
  });
});
