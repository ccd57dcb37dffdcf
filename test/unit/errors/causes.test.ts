import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Context, explain } from '../../../lib/errors/explain.js';
import {
  dmaEntryLimit,
  hugePages,
  iommuGroupCount,
  memlock,
  moduleLoaded,
} from '../../../lib/errors/facts.js';
import type { VfioError } from '../../../lib/errors/vfio-error.js';
import { skip } from '../../support/skip.js';
import { type Code, systemError } from '../../support/system-error.js';

function explained(name: string, code: Code, context: Partial<Context> = {}): VfioError {
  return explain(systemError(name, code), { doing: 'Trying', ...context }) as VfioError;
}

describe('causes of errors', () => {
  const texts: [name: string, code: Code, context: Partial<Context>, expected: RegExp][] = [
    [
      'open',
      'ENODEV',
      { path: '/dev/vfio/3' },
      /no device stands behind \/dev\/vfio\/3 any more.*bind the device/,
    ],
    [
      'open',
      'EBUSY',
      { path: '/dev/vfio/3' },
      /only one holder at a time may open \/dev\/vfio\/3.*share one Group/,
    ],
    ['VFIO_GROUP_SET_CONTAINER', 'EINVAL', {}, /in a container already/],
    ['VFIO_GROUP_UNSET_CONTAINER', 'EBUSY', {}, /a device of the group is still open.*close every Device/],
    ['VFIO_SET_IOMMU', 'EINVAL', {}, /no group is attached/],
    ['VFIO_SET_IOMMU', 'ENODEV', {}, /load vfio_iommu_type1/],
    [
      'VFIO_GROUP_GET_DEVICE_FD',
      'ENODEV',
      { address: '0000:03:00.0', groupId: 99_999 },
      /0000:03:00.0 is not a member of the group, or not bound.*it has none/,
    ],
    ['VFIO_GROUP_GET_DEVICE_FD', 'EINVAL', {}, /call setIommu\(\)/],
    ['VFIO_GROUP_GET_DEVICE_FD', 'EACCES', {}, /VF token/],
    ['VFIO_GROUP_GET_DEVICE_FD', 'EBUSY', {}, /in use or could not be woken up/],
    ['VFIO_IOMMU_MAP_DMA', 'EINVAL', { iova: 0x1000n, size: 4096 }, /the IOMMU refuses IOVA 0x1000-0x1fff/],
    ['VFIO_IOMMU_MAP_DMA', 'EINVAL', { facts: { validRanges: '0x0-0xff' } }, /refuses the range.*0x0-0xff/],
    ['VFIO_IOMMU_MAP_DMA', 'EEXIST', { iova: 0x1000n, size: 4096 }, /IOVA 0x1000-0x1fff is mapped already/],
    ['VFIO_IOMMU_MAP_DMA', 'EFAULT', {}, /memory behind the address/],
    ['mbind', 'EINVAL', {}, /no such NUMA node/],
    ['pread', 'EIO', { address: '0000:03:00.0' }, /0000:03:00.0 does not answer.*memoryDecoding = true/],
    ['pwrite', 'EIO', {}, /the device does not answer/],
    ['VFIO_DEVICE_SET_IRQS', 'EINVAL', {}, /lacks that vector/],
    ['VFIO_DEVICE_SET_IRQS', 'ENOSPC', {}, /too few interrupt vectors/],
    ['VFIO_DEVICE_RESET', 'ENOTTY', {}, /no reset of its own/],
    ['VFIO_DEVICE_IOEVENTFD', 'EINVAL', {}, /not over the MSI-X table/],
    ['VFIO_DEVICE_IOEVENTFD', 'EEXIST', {}, /same offset, width and value/],
    ['VFIO_DEVICE_IOEVENTFD', 'ENOSPC', {}, /1,000/],
    ['VFIO_DEVICE_IOEVENTFD', 'ENOTTY', {}, /this kernel \(\d+\..*\) has no ioeventfd/],
  ];
  for (const [name, code, context, expected] of texts) {
    it(`${name} ${code}${Object.keys(context).length > 0 ? ` with ${Object.keys(context).join(', ')}` : ''}`, () => {
      assert.match(explained(name, code, context).message, expected);
    });
  }

  it('are left out where the errno says it all', () => {
    const error = explained('open', 'ELOOP', { path: '/dev/vfio/3' });
    assert.deepEqual([error.likelyCause, error.cure], [undefined, undefined]);
    assert.equal(explained('mmap', 'EINVAL').likelyCause, undefined);
    assert.equal(explained('constructor', 'EIO').likelyCause, undefined);
  });

  it('name the budget of mappings', () => {
    const error = explained('VFIO_IOMMU_MAP_DMA', 'ENOSPC', { facts: { mapped: 17 } });
    assert.match(error.message, new RegExp(`17 mappings exist, dma_entry_limit is ${dmaEntryLimit()}`));
  });

  it('say why a node is missing', function () {
    if (moduleLoaded('vfio')) skip(this, 'this machine has the vfio module loaded');
    assert.equal(explained('open', 'ENOENT', { path: '/dev/vfio/vfio' }).cure, 'modprobe vfio-pci');
    const group = explained('open', 'ENOENT', { path: '/dev/vfio/3' });
    assert.match(
      group.message,
      iommuGroupCount() === 0 ? /runs without an IOMMU.*intel_iommu=on/ : /bound to vfio-pci/,
    );
  });

  it('name owner, mode and the udev rule of a node that may not be opened', () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'vfio-node-'));
    const node = path.join(directory, '42');
    try {
      writeFileSync(node, '');
      chmodSync(node, 0o640);
      const { uid, gid } = { uid: process.getuid?.(), gid: process.getgid?.() };
      for (const code of ['EACCES', 'EPERM'] as const) {
        const { message } = explained('open', code, { path: node });
        assert(
          message.includes(
            `${node} belongs to user ${uid}, group ${gid}, mode 0640, and this process runs as user ${uid}`,
          ),
        );
        assert(message.includes('SUBSYSTEM=="vfio", GROUP="vfio", MODE="0660"'));
        assert(message.includes(`chgrp vfio ${node} && chmod 660 ${node}`));
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
    assert.equal(explained('open', 'EACCES', { path: '/nowhere' }).likelyCause, 'this user may not open it');
    assert.equal(explained('open', 'EACCES').likelyCause, 'this user may not open it');
  });

  it('count huge pages', () => {
    const size = 2 * 2 ** 20;
    const { message } = explained('mmap', 'ENOMEM', { size: 3 * size, facts: { hugePageSize: size } });
    const pool = hugePages(size);
    if (pool === undefined) assert.match(message, /no huge pages of 2097152 bytes/);
    else {
      assert.match(
        message,
        new RegExp(`3 huge pages of 2097152 bytes are needed, ${pool.free} of ${pool.total} are free`),
      );
      assert.match(
        message,
        new RegExp(`echo ${3 + pool.total} > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages`),
      );
    }
    for (const code of ['EINVAL', 'ENOMEM'] as const) {
      const none = explained('mmap', code, { facts: { hugePageSize: 12_288 } });
      assert.deepEqual(
        [none.likelyCause, none.cure],
        ['this kernel has no huge pages of 12288 bytes', undefined],
      );
    }
  });
});

describe('causes of ENOMEM', () => {
  const library = path.join(__dirname, '..', '..', '..', 'lib', 'errors', 'explain.js');
  const program = `
    const { explain } = require(${JSON.stringify(library)});
    const failed = Object.assign(new Error('failed'), { code: 'ENOMEM', errno: -12, syscall: 'VFIO_IOMMU_MAP_DMA' });
    process.stdout.write(explain(failed, { doing: 'Mapping', size: 1048576 }).message);`;

  /** What the library says in a process of its own that was started by `wrapper`. */
  const said = (...wrapper: string[]): string => {
    const command = [...wrapper, process.execPath, '-e', program];
    const { status, stdout, stderr } = spawnSync(command[0] as string, command.slice(1), {
      encoding: 'utf8',
    });
    assert.deepEqual([status, stderr], [0, '']);
    return stdout;
  };

  it('name the limit on locked memory and its use', function () {
    const limited = ['prlimit', '--memlock=65536:131072'];
    // CAP_IPC_LOCK is exempt from the limit, so root has to give it away for good.
    if (memlock().exempt) limited.unshift('setpriv', '--bounding-set=-ipc_lock', '--inh-caps=-ipc_lock');
    assert.match(
      said(...limited),
      /RLIMIT_MEMLOCK allows 65536 bytes \(hard limit 131072\), \d+ are in use and 1048576 were asked for.*ulimit -l, LimitMEMLOCK=.*limits\.conf/,
    );
  });

  it('does not blame the limit for a process that is exempt', function () {
    if (!memlock().exempt) skip(this, 'this process has no CAP_IPC_LOCK');
    assert.match(said('prlimit', '--memlock=65536:131072'), /the machine is out of memory for 1048576 bytes/);
  });
});
