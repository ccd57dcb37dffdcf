import assert from 'node:assert/strict';
import { devices } from '../../../lab/devices';
import { type Body, createProcess, type Ended } from '../../support/processes';
import { labSuite } from '../support/suite';
import { driverOf } from '../support/sysfs';

interface Case {
  title: string;
  address: string;
  body: Body<string>;
  code: number | null;
  signal?: NodeJS.Signals;
  stderr: RegExp;
}

/** Each has its device open, bound, interrupts and DMA memory in use, and ends without closing anything. */
const cases: Case[] = [
  {
    title: 'at its natural end',
    address: devices.nicA,
    body: async ({ vfio }, address) => {
      const device = await vfio.Device.open(address, { bind: true });
      device.dma.alloc(4096);
      device.bar(0).map();
      device.msix.enable(2);
    },
    code: 0,
    stderr: /^$/,
  },
  {
    title: 'by process.exit()',
    address: devices.nvme,
    body: async ({ vfio }, address) => {
      const device = await vfio.Device.open(address, { bind: true });
      device.dma.alloc(4096);
      device.msix.enable(2)[0].on('interrupt', () => undefined);
      process.exit(7);
    },
    code: 7,
    stderr: /^$/,
  },
  {
    title: 'by an uncaught exception',
    address: devices.nicB,
    body: ({ vfio }, address) => {
      const device = vfio.Device.openSync(address, { bind: true });
      device.msix.enable(1)[0].on('interrupt', () => undefined);
      setTimeout(() => {
        throw new Error('nobody catches this');
      }, 1);
    },
    code: 1,
    stderr: /Error: nobody catches this/,
  },
  {
    title: 'by SIGINT',
    address: devices.edu,
    body: async ({ vfio }, address) => {
      const device = await vfio.Device.open(address, { bind: true });
      device.msi.enable(1)[0].on('interrupt', () => undefined);
      process.kill(process.pid, 'SIGINT');
    },
    code: null,
    signal: 'SIGINT',
    stderr: /^$/,
  },
  {
    title: 'by SIGTERM',
    address: devices.testdev,
    body: ({ vfio }, address) => {
      const device = vfio.Device.openSync(address, { bind: true });
      setInterval(() => device.bar(0).read8(0), 1000);
      process.kill(process.pid, 'SIGTERM');
    },
    code: null,
    signal: 'SIGTERM',
    stderr: /^$/,
  },
];

labSuite('a process that ends with devices open gives them back', () => {
  let ended: Ended[];
  let initially: (string | undefined)[];
  before('run all of them at the same time', async () => {
    initially = cases.map(({ address }) => driverOf(address));
    ended = await Promise.all(
      cases.map(({ body, address }) => createProcess(body, address, { timeoutMs: 240_000 })),
    );
  });

  for (const [i, { title, address, code, signal = null, stderr }] of cases.entries()) {
    it(title, () => {
      const end = ended[i] ?? assert.fail();
      assert.match(end.stderr, stderr);
      assert.deepEqual([end.code, end.signal], [code, signal]);
      assert.equal(driverOf(address), initially[i]);
    });
  }
});
