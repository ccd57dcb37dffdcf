import assert from 'node:assert/strict';
import { findDevice } from 'vfio';
import { EduDriver } from '../../../examples/edu/edu.js';
import { devices } from '../../../lab/devices.js';
import { needsLab, runProgram } from './support.js';

describe('examples/edu', function () {
  before(function () {
    needsLab(this);
  });

  it('runs from beginning to end and gives the device back', async () => {
    const before = findDevice(devices.edu).driver;
    const { code, stdout, stderr } = await runProgram('examples/edu/main.js', devices.edu);
    assert.equal(stderr, '');
    assert.match(stdout, /version 1\.0, alive/);
    assert.match(stdout, /10! = 3628800, announced by an interrupt/);
    assert.match(stdout, /2048 bytes to the device and back by DMA, contents equal/);
    assert.equal(code, 0);
    assert.equal(findDevice(devices.edu).driver, before);
  });

  it('computes and copies again and again with one opening', async () => {
    await using edu = await EduDriver.open(devices.edu, { bind: true });
    const expected = [1, 1, 2, 6, 24, 120, 720, 5040, 40320, 362880];
    for (const [n, result] of expected.entries()) assert.equal(await edu.factorial(n), result);

    for (const bytes of [0, 4097]) {
      await assert.rejects(edu.copyToDevice(edu.allocate(1), bytes), {
        name: 'RangeError',
        message: /1 to 4096/,
      });
    }
    const [first, second] = [edu.allocate(4096), edu.allocate(4096)];
    assert.ok(first.iova + 4096n <= 1n << 28n && second.iova + 4096n <= 1n << 28n, 'within 28 bits');
    for (const fill of [0xff, 0x00, 0x5a]) {
      first.u8.fill(fill);
      second.u8.fill(~fill);
      await edu.copyToDevice(first, 1000);
      await edu.copyFromDevice(second, 1000);
      assert.ok(second.u8.subarray(0, 1000).every(byte => byte === fill));
      assert.ok(
        second.u8.subarray(1000).every(byte => byte === (~fill & 0xff)),
        'and not a byte more',
      );
    }
  });

  it('refuses other devices and gives them back', async () => {
    const { code, stderr } = await runProgram('examples/edu/main.js', devices.testdev);
    assert.match(stderr, /0000:05:00\.0 is 0x1b36:0x5, not an edu device \(1234:11e8\)/);
    assert.equal(code, 1);
    assert.equal(findDevice(devices.testdev).driver, undefined);
    await assert.rejects(EduDriver.open('0000:1f:1f.7'), /0000:1f:1f\.7/);
    await assert.rejects(EduDriver.open('edu'), { name: 'TypeError', message: /PCI address/ });
  });
});
