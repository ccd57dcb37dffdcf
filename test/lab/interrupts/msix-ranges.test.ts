import assert from 'node:assert/strict';
import { devices } from '../../../lab/devices';
import { opened } from '../support/bound';
import { held } from '../support/held';
import { loopback } from '../support/interrupts';
import { labSuite } from '../support/suite';

labSuite('MSI-X in any range', () => {
  const nic = opened(devices.nicA);
  const numbers = (): number[] => nic.device.msix.enabled.map(vector => vector.index);
  afterEach(() => nic.device.msix.disable());

  it('all of them, each fires alone', async () => {
    const { msix } = nic.device;
    const vectors = msix.enable(msix.count);
    assert.deepEqual(numbers(), [0, 1, 2, 3, 4]);
    assert.deepEqual(msix.enabled, vectors);
    assert.equal(msix.vector(3), vectors[3]);
    await loopback(vectors);
    await loopback([...vectors].reverse());
  });

  for (const [start, count] of [
    [0, 1],
    [1, 3],
    [4, 1],
    [3, 2],
  ] as const) {
    it(`${count} from ${start} on`, async () => {
      const vectors = nic.device.msix.enable({ start, count });
      assert.deepEqual(
        numbers(),
        Array.from({ length: count }, (_, i) => start + i),
      );
      await loopback(vectors);
    });
  }

  it('shrinks: single ones end, the others go on', async () => {
    const before = held();
    const { msix } = nic.device;
    const vectors = msix.enable(5);
    vectors[1]?.close();
    assert.deepEqual(numbers(), [0, 2, 3, 4]);
    msix.disable({ start: 3, count: 2 });
    assert.deepEqual(numbers(), [0, 2]);
    await loopback(msix.enabled);
    msix.disable({ start: 1, count: 1 });
    assert.deepEqual(numbers(), [0, 2], 'which is not enabled is passed over');
    vectors[0].close();
    await loopback(msix.enabled);
    msix.vector(2)?.close();
    assert.deepEqual(numbers(), []);
    assert.deepEqual(held(), before);
    await loopback(msix.enable(2));
  });

  it('takes up again what it had let go', async () => {
    const { msix } = nic.device;
    const [, second] = msix.enable(3);
    second?.close();
    const again = msix.enable({ start: 1, count: 1 });
    assert.deepEqual(numbers(), [0, 1, 2]);
    assert.notEqual(again[0], second);
    await loopback(msix.enabled);
  });

  it('refuses vectors the device does not have, and changes nothing', async () => {
    const { msix } = nic.device;
    msix.enable(2);
    const before = held();
    const refused: [unknown, RegExp][] = [
      [6, /^count \(of MSI-X vectors, the device has 5\) must be an integer from 1 to 5; got 6/],
      [0, /^count .*got 0/],
      [-1, /^count/],
      [1.5, /^count/],
      [2048, /^count/],
      [{ start: 3, count: 3 }, /^count .* from 1 to 2; got 3/],
      [{ start: 5, count: 1 }, /^start \(the first MSI-X vector\) must be an integer from 0 to 4; got 5/],
      [{ start: -1, count: 1 }, /^start/],
    ];
    for (const [which, message] of refused) {
      assert.throws(() => msix.enable(which as number), {
        name: 'RangeError',
        code: 'ERR_OUT_OF_RANGE',
        message,
      });
    }
    assert.throws(() => msix.disable({ start: 4, count: 2 }), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => msix.vector(2048), { code: 'ERR_OUT_OF_RANGE' });
    assert.equal(msix.vector(4), undefined);
    assert.deepEqual(held(), before);
    await loopback(msix.enabled);
  });

  it('refuses a vector that is enabled already, and says how to get at it', async () => {
    const { msix } = nic.device;
    msix.enable({ start: 2, count: 1 });
    for (const which of [3, { start: 2, count: 1 }, { start: 1, count: 4 }]) {
      assert.throws(() => msix.enable(which), {
        code: 'ERR_VFIO_BUSY',
        message: /MSI-X vector 2 of 0000:01:00\.0 is enabled already.*vector\(2\) returns it/,
      });
    }
    assert.deepEqual(numbers(), [2]);
    await loopback(msix.enabled);
  });
});
