import assert from 'node:assert/strict';
import { Device, Iommufd } from 'vfio';
import { devices } from '../../../lab/devices';
import { covers } from '../../support/covers';
import { needs } from '../../support/needs';
import { createProcess, type Kit } from '../../support/processes';
import { bound } from '../support/bound';
import { cdevMachine } from '../support/cdev';
import { statusBytes } from '../support/held';
import { labSuite } from '../support/suite';

labSuite('iommufd: options', () => {
  needs(cdevMachine);
  bound(devices.edu);

  it('charge pinned memory to the user, or to the process', async function () {
    this.timeout(120_000);
    for (const charge of [false, true]) {
      const { stdout, stderr, code } = await createProcess(
        pinUnprivileged,
        { address: devices.edu, charge },
        { timeoutMs: 60_000 },
      );
      assert.deepEqual([code, stderr], [0, '']);
      const { refused, locked, pinned } = JSON.parse(stdout) as Pinned;
      assert.match(
        refused,
        /^ENOMEM .*IOMMU_IOAS_MAP.*RLIMIT_MEMLOCK allows 1048576 bytes .* 2097152 were asked for/,
      );
      assert.equal(pinned, 2 ** 19);
      assert.equal(locked, charge ? 2 ** 19 : 0);
    }
    covers('IOMMU_OPTION', 'IOMMU_OPTION_OP_SET', 'IOMMU_OPTION_OP_GET', 'IOMMU_OPTION_RLIMIT_MODE');
  });

  it('charge nobody with CAP_IPC_LOCK, as containers do', async () => {
    const [locked, pinned] = [statusBytes('VmLck'), statusBytes('VmPin')];
    await using device = await Device.open(devices.edu, { via: 'cdev' });
    device.dma.alloc(2 ** 24);
    assert.equal(statusBytes('VmLck'), locked);
    assert.equal(statusBytes('VmPin') - pinned, 2 ** 24);
  });

  it('decide that before there is anything to charge', () => {
    using iommufd = Iommufd.open();
    iommufd.allocIoas();
    assert.throws(() => (iommufd.chargeProcess = true), {
      code: 'EBUSY',
      syscall: 'IOMMU_OPTION',
      message: /the iommufd has address spaces or devices already.*first thing after Iommufd\.open/,
    });
    assert.equal(iommufd.chargeProcess, false);
    assert.throws(() => (iommufd.chargeProcess = 1 as never), { code: 'ERR_INVALID_ARG_TYPE' });
    iommufd.close();
    assert.throws(() => iommufd.chargeProcess, { code: 'ERR_VFIO_CLOSED' });
  });

  it('leave the accounting to those who may', async () => {
    const { stdout, stderr, code } = await createProcess(({ vfio: { Iommufd } }) => {
      const iommufd = Iommufd.open();
      process.setuid?.(65534);
      try {
        iommufd.chargeProcess = true;
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        process.stdout.write(`${code} ${message}`);
      }
    }, undefined);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^EPERM .*lacks CAP_SYS_RESOURCE/);
  });

  it('let mappings use larger pages, or not', () => {
    using iommufd = Iommufd.open();
    const ioas = iommufd.allocIoas();
    assert.equal(ioas.hugePages, true);
    ioas.hugePages = false;
    assert.equal(ioas.hugePages, false);
    assert.equal(iommufd.allocIoas().hugePages, true, 'each space has its own');
    ioas.hugePages = true;
    assert.equal(ioas.hugePages, true);
    assert.throws(() => (ioas.hugePages = 'yes' as never), { code: 'ERR_INVALID_ARG_TYPE' });
    covers('IOMMU_OPTION_HUGE_PAGES');
  });
});

interface Pinned {
  refused: string;
  locked: number;
  pinned: number;
}

/** Pins memory as somebody without privileges, whom the device was given to. */
async function pinUnprivileged(
  { vfio: { Iommufd }, require }: Kit,
  { address, charge }: { address: string; charge: boolean },
): Promise<void> {
  const { execFileSync } = require('node:child_process') as typeof import('node:child_process');
  const { readFileSync } = require('node:fs') as typeof import('node:fs');
  execFileSync('prlimit', ['--pid', String(process.pid), '--memlock=1048576']);
  const iommufd = Iommufd.open();
  iommufd.chargeProcess = charge;
  if (iommufd.chargeProcess !== charge) throw new Error('it says otherwise');
  const device = await iommufd.openDevice(address);
  process.setuid?.(65534);
  const ioas = iommufd.allocIoas();
  device.attach(ioas);
  let refused = '';
  try {
    ioas.dma.alloc(2 ** 21);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    refused = `${code} ${message}`;
  }
  const status = (): string => readFileSync('/proc/self/status', 'utf8');
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status())?.[1]) * 1024;
  const before = { locked: field('VmLck'), pinned: field('VmPin') };
  ioas.dma.alloc(2 ** 19);
  process.stdout.write(
    JSON.stringify({
      refused,
      locked: field('VmLck') - before.locked,
      pinned: field('VmPin') - before.pinned,
    }),
  );
}
