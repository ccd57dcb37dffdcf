import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { doctor, listDevices } from '../../lib/index.js';
import { skip } from '../support/skip.js';

describe('doctor', () => {
  it('looks at everything, and is plain frozen data', () => {
    const report = doctor();
    assert.deepEqual(
      report.checks.map(check => check.name),
      ['iommu', 'modules', 'container', 'interrupt-remapping', 'memlock', 'limits'],
    );
    assert.equal(
      report.ok,
      report.checks.every(check => check.ok),
    );
    assert.match(report.kernel, /^\d+\.\d+/);
    for (const check of report.checks) {
      assert(check.detail.length > 0 && Object.isFrozen(check));
      assert.equal(check.cure === undefined, check.ok, `${check.name} is ${check.ok ? 'well' : 'ill'}`);
    }
    assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
    assert(Object.isFrozen(report) && Object.isFrozen(report.checks));
  });

  it('says what is missing on a machine without VFIO', function () {
    if (existsSync('/dev/vfio/vfio')) skip(this, 'this machine has VFIO');
    const container = doctor().checks.find(check => check.name === 'container');
    assert.deepEqual([container?.ok, container?.detail], [false, '/dev/vfio/vfio is not there']);
    assert.equal(doctor().ok, false);
  });

  it('says that there is no such device', () => {
    const check = doctor('ffff:ff:1f.7').checks.at(-1);
    assert.deepEqual(
      [check?.name, check?.ok, check?.detail],
      ['device', false, 'there is no PCI device ffff:ff:1f.7'],
    );
  });

  it('looks at a device', function () {
    const device = listDevices().find(one => one.driver !== undefined && !one.driver.includes('vfio'));
    if (device === undefined) skip(this, 'no PCI device of this machine is on a kernel driver');
    const checks = doctor(device.address).checks.slice(6);
    assert.deepEqual(
      checks.map(check => check.name),
      ['driver', 'group'],
    );
    assert.equal(checks[0]?.detail, `${device.address} is on ${device.driver}`);
    assert.match(checks[0].cure ?? '', /bind: true/);
  });
});
