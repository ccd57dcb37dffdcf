import assert from 'node:assert/strict';
import { Device } from 'vfio';
import { devices } from '../../../lab/devices';
import { cdevPath } from '../../../lib/iommufd/cdev';
import { createProcess, createWorker, type Ended } from '../../support/processes';
import { bound } from '../support/bound';
import { Edu } from '../support/edu';
import { labSuite } from '../support/suite';
import { groupOf } from '../support/sysfs';

interface Failure {
  code: string;
  message: string;
  path?: string;
}

labSuite('group: open elsewhere', () => {
  bound(devices.edu);
  let device: Device;
  before(async () => {
    device = await Device.open(devices.edu);
  });
  after(() => device.close());

  function check(failures: Failure[]): void {
    const byGroup = {
      code: 'EBUSY',
      path: `/dev/vfio/${groupOf(devices.edu)}`,
      says: /the group is open already: only one holder at a time/,
    };
    // The kernel has no other word for a second binding than for a wrong one.
    const node = cdevPath(devices.edu);
    const asOpened =
      device.iommufd === undefined
        ? byGroup
        : { code: 'EINVAL', path: node, says: /the device is open already, in another program/ };
    assert.equal(failures.length, 3);
    for (const [i, { code, message, path }] of failures.entries()) {
      const expected = i === 0 ? byGroup : asOpened;
      assert.deepEqual([code, path], [expected.code, expected.path]);
      assert.match(message, expected.says);
    }
    assert.equal(device.bar(0).read32(Edu.ID) & 0xffff, 0xed, 'the holder goes on undisturbed');
  }

  let process_: Promise<Ended>;
  let thread: { failures: Promise<unknown>; ended: Promise<number> };
  before('start both at the same time', () => {
    process_ = createProcess(async ({ vfio: { Device, Group } }, address) => {
      const tries = [
        () => Group.open(address),
        () => Device.openSync(address),
        () => Device.open(address, { bind: true }),
      ];
      const failures = [];
      for (const open of tries) {
        try {
          await open();
        } catch (error) {
          const { code, message, path } = error as Failure;
          failures.push({ code, message, path });
        }
      }
      process.stdout.write(JSON.stringify(failures));
    }, devices.edu);
    const { message, ended } = createWorker(async ({ vfio: { Device, Group }, require }, address) => {
      const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
      const tries = [() => Group.open(address), () => Device.openSync(address), () => Device.open(address)];
      const failures = [];
      for (const open of tries) {
        try {
          await open();
        } catch (error) {
          const { code, message, path } = error as Failure;
          failures.push({ code, message, path });
        }
      }
      parentPort?.postMessage(failures);
    }, devices.edu);
    thread = { failures: message(), ended };
  });

  it('in another process: the error says so, whichever way it was opened', async () => {
    const { stdout, stderr, code } = await process_;
    assert.deepEqual([code, stderr], [0, '']);
    check(JSON.parse(stdout) as Failure[]);
  });

  it('in another thread: the same', async () => {
    check((await thread.failures) as Failure[]);
    assert.equal(await thread.ended, 0);
  });
});
