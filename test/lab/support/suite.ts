import assert from 'node:assert/strict';
import { devices } from '../../../lab/devices';
import { openDevices } from '../../../lib/pci/exit';
import { lacking, needsOf, stockMachine } from '../../support/needs';
import { skip } from '../../support/skip';
import { held } from './held';
import { drivers, putBack } from './sysfs';

type Cleanup = [title: string, work: () => void | Promise<void>];

let cleanups: Cleanup[] = [];

/**
 * A suite of tests on the lab's devices; on those of the stock machine, unless it states what it `needs()`. Afterwards
 * everything must be as it was before: no descriptor, mapping or pinned page is left, and every device is on the driver
 * it had.
 */
export function labSuite(title: string, body: (this: Mocha.Suite) => void): void {
  let lack: string | undefined;
  const suite = describe(title, function () {
    // Emulated machines are slow, and those on a busy host very slow.
    this.timeout(300_000);
    if (process.env['LAB'] !== '1') {
      it('runs in the lab', function () {
        skip(this, 'needs the devices of the lab (npm run lab)');
      });
      return;
    }
    const now = () => ({ held: held(), drivers: drivers(Object.values(devices)) });
    let initially: ReturnType<typeof now>;
    before('remember what is held', () => {
      initially = now();
    });
    cleanups = [];
    const own = needsOf(this, () => body.call(this));
    lack = own.stated ? own.lack : lacking(stockMachine);
    for (const cleanup of cleanups.reverse()) after(...cleanup);
    after('nothing is left behind', () => {
      const finally_ = now();
      // One suite's failure shall not be that of all after it.
      for (const device of openDevices()) device.endSync();
      putBack(initially.drivers);
      assert.deepEqual(finally_, initially);
    });
  });
  if (lack !== undefined) leaveOut(suite, lack);
}

/** Puts one skipped test in a suite's place: hooks must not run where what they set up is not there. */
function leaveOut(suite: Mocha.Suite, lack: string): void {
  const siblings = suite.parent?.suites ?? [];
  siblings.splice(siblings.indexOf(suite), 1);
  describe(suite.title, () => {
    it('is not for this machine', function () {
      skip(this, lack);
    });
  });
}

/** Runs after the suite's own `after` hooks, the last one first: what was set up first is taken down last. */
export function lastly(...cleanup: Cleanup): void {
  cleanups.push(cleanup);
}
