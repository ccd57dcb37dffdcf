import assert from 'node:assert/strict';
import { Device } from 'vfio';
import { devices } from '../../../lab/devices';
import { type Body, createProcess, type Ended } from '../../support/processes';
import { labSuite } from '../support/suite';
import { driverOf } from '../support/sysfs';

interface Case {
  title: string;
  address: string;
  body: Body<string>;
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** The kernel is at work on another thread when the process ends. */
const cases: Case[] = [
  {
    title: 'by a signal during a reset',
    address: devices.testdev,
    body: ({ vfio }, address) => {
      const device = vfio.Device.openSync(address, { bind: true });
      device.reset().catch(() => undefined);
      process.kill(process.pid, 'SIGTERM');
    },
    code: null,
    signal: 'SIGTERM',
  },
  {
    title: 'by process.exit() while a device that was bound for it opens',
    address: devices.edu,
    body: ({ vfio, native }, address) => {
      // Whichever of them it is that resets the device.
      for (const name of ['groupGetDeviceFd', 'deviceBindIommufd'] as const) {
        const opening = native[name].bind(native) as (...args: unknown[]) => unknown;
        const ending = (...args: unknown[]): unknown => {
          setImmediate(() => process.exit(3));
          return opening(...args);
        };
        Object.assign(native, { [name]: ending });
      }
      vfio.Device.open(address, { bind: true }).catch(() => undefined);
    },
    code: 3,
    signal: null,
  },
  {
    title: 'by process.exit() while a device closes',
    address: devices.pairEdu,
    body: async ({ vfio }, address) => {
      const device = await vfio.Device.open(address, { bind: true });
      void device.close();
      setImmediate(() => process.exit(4));
    },
    code: 4,
    signal: null,
  },
];

labSuite('a process that ends in the middle of a call gives its device back', () => {
  let ended: Ended[];
  before('run all of them at the same time', async () => {
    ended = await Promise.all(
      cases.map(({ body, address }) => createProcess(body, address, { timeoutMs: 240_000 })),
    );
  });

  for (const [i, { title, address, code, signal }] of cases.entries()) {
    it(title, async () => {
      const end = ended[i] ?? assert.fail();
      assert.deepEqual([end.stderr, end.code, end.signal], ['', code, signal]);
      assert.equal(driverOf(address), undefined);
      await Device.open(address, { bind: true }).then(device => device.close());
    });
  }
});
