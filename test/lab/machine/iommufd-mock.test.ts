import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { needs } from '../../support/needs';

describe("machine: iommufd's mock devices", () => {
  needs({ profile: 'iommufd-mock' });

  it('have a bus of their own, and no PCI device is in the way', () => {
    assert.ok(fs.statSync('/dev/iommu').isCharacterDevice());
    assert.ok(fs.existsSync('/sys/bus/iommufd_mock'));
    assert.ok(fs.readdirSync('/sys/class/iommu').includes('iommufd_selftest_iommu.0'));
  });

  it('can be made to fail', () => {
    assert.ok(fs.existsSync('/sys/kernel/debug/fail_iommufd/times'));
    assert.ok(fs.existsSync('/proc/self/fail-nth'));
  });
});
