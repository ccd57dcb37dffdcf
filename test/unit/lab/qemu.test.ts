import assert from 'node:assert/strict';
import { devices, nicDevices } from '../../../lab/devices.js';
import { findProfile, profiles } from '../../../lab/profiles.js';
import { buildMachine, type MachineFiles } from '../../../lab/qemu.js';
import { coveredPaths } from '../../../lab/run-files.js';

const files: MachineFiles = {
  kernel: '/cache/vmlinux',
  initramfs: '/cache/initramfs.cpio',
  console: '/run1/console.log',
  settings: '/run1/settings',
  images: '/run1',
  agentFd: 3,
  monitorFd: 4,
  monitorPortFd: 5,
};

/** The values that follow each occurrence of an option. */
function values(args: readonly string[], option: string): string[] {
  return args.filter((_value, index) => args[index - 1] === option);
}

describe('lab: QEMU command line', () => {
  const machine = buildMachine(findProfile('stock'), files, 'tcg');

  it('puts each device behind a root port of its own, in the order of their addresses', () => {
    const behindPort = values(machine.args, '-device').filter(text => /bus=port\d+(,|$)/.test(text));
    assert.deepEqual(
      behindPort.map(text => `${text.split(',')[0] ?? ''} ${/bus=(\w+)/.exec(text)?.[1] ?? ''}`),
      [
        'e1000e port1',
        'e1000e port2',
        'nvme port3',
        'edu port4',
        'pci-testdev port5',
        'pcie-pci-bridge port6',
      ],
    );
  });

  it('puts the pair behind the bridge at the addresses that devices.ts names', () => {
    const pair = values(machine.args, '-device').filter(text => text.includes('bus=port6-pci'));
    assert.deepEqual(pair, ['edu,bus=port6-pci,addr=1', 'pci-testdev,bus=port6-pci,addr=2']);
    assert.deepEqual([devices.pairEdu, devices.pairTestdev], ['0000:07:01.0', '0000:07:02.0']);
  });

  it('asks for an image and the drivers that the devices need', () => {
    assert.deepEqual(machine.images, [{ file: '/run1/port3.img', sizeMiB: 64 }]);
    assert.deepEqual(machine.modules, ['e1000e', 'e1000e', 'nvme']);
    assert.deepEqual(machine.awaited, ['/dev/nvme0n1']);
  });

  it('doubles commas in file names', () => {
    const odd = buildMachine(findProfile('stock'), { ...files, images: '/a,b', out: '/c,d' }, 'tcg');
    assert.ok(odd.args.some(text => text.endsWith('file=/a,,b/port3.img')));
    assert.ok(odd.args.some(text => text.includes('path=/c,,d,')));
  });

  it('shares the host read-only, and the output directory only when asked to', () => {
    const shares = values(machine.args, '-fsdev');
    assert.equal(shares.length, 2);
    assert.ok(shares.every(text => text.endsWith('readonly=on')));
    const withOut = buildMachine(findProfile('stock'), { ...files, out: '/out' }, 'tcg');
    assert.ok(values(withOut.args, '-append')[0]?.includes('lab.out'));
    assert.ok(
      values(withOut.args, '-fsdev').some(text => text.includes('path=/out') && !text.includes('readonly')),
    );
  });

  it('tells the kernel the speed of its clock, where it must not measure it', () => {
    const append = (given: MachineFiles): string | undefined =>
      values(buildMachine(findProfile('stock'), given, 'tcg').args, '-append')[0];
    assert.match(append({ ...files, processorClockKhz: 2_596_098 }) ?? '', / tsc_early_khz=2596098 /);
    assert.doesNotMatch(append(files) ?? '', /tsc_early_khz/);
  });

  it('names the accelerator', () => {
    assert.deepEqual(values(machine.args, '-accel'), ['tcg,thread=multi']);
    const counted = buildMachine(findProfile('stock'), files, 'counted').args;
    assert.deepEqual(
      ['-accel', '-icount', '-smp'].map(name => values(counted, name)),
      [['tcg,thread=single'], ['shift=0,sleep=off'], ['1']],
    );
    assert.deepEqual(values(buildMachine(findProfile('stock'), files, 'kvm').args, '-accel'), ['kvm']);
  });
});

describe('lab: NICs for the drivers in examples', () => {
  const machine = buildMachine(findProfile('nics'), files, 'tcg');

  it('are where devices.ts says, wired in pairs', () => {
    const nics = values(machine.args, '-device').filter(text => /^(virtio-net-pci|igb),/.test(text));
    assert.deepEqual(
      nics.map(text => [text.split(',')[0], /bus=port(\d)/.exec(text)?.[1], /:(\w\w)(,|$)/.exec(text)?.[1]]),
      [
        ['virtio-net-pci', '1', '21'],
        ['virtio-net-pci', '2', '22'],
        ['virtio-net-pci', '3', '23'],
        ['igb', '4', '24'],
        ['igb', '5', '25'],
      ],
    );
    assert.deepEqual(
      Object.values(nicDevices),
      [1, 2, 3, 4, 5].map(bus => `0000:0${bus}:00.0`),
    );
    const hubs = values(machine.args, '-netdev').map(text => /hubid=(\d)/.exec(text)?.[1]);
    assert.deepEqual(hubs, ['1', '1', '1', '2', '2']);
  });

  it('reach memory through the IOMMU, one with packed queues', () => {
    const virtio = values(machine.args, '-device').filter(text => text.startsWith('virtio-net-pci'));
    assert.ok(virtio.every(text => text.includes('disable-legacy=on,iommu_platform=on')));
    assert.deepEqual(
      virtio.map(text => text.includes('packed=on')),
      [false, false, true],
    );
    assert.deepEqual(machine.modules, ['virtio_net', 'virtio_net', 'virtio_net', 'igb', 'igb']);
  });
});

describe('lab: profiles', () => {
  it('have names of their own and a purpose', () => {
    assert.equal(new Set(profiles.map(profile => profile.name)).size, profiles.length);
    assert.ok(profiles.every(profile => profile.purpose !== ''));
  });

  it('are found by name, and a wrong one is told which there are', () => {
    assert.equal(findProfile('stock-6.12').kernel, 'debian-6.12');
    assert.throws(() => findProfile('stok'), /no profile is called 'stok'; there are: stock, /);
  });

  it('have room on the root bus and on the kernel command line', () => {
    for (const profile of profiles) {
      assert.ok(profile.devices.length <= 14, profile.name);
      const [append = ''] = values(buildMachine(profile, files, 'tcg').args, '-append');
      assert.ok(append.length < 2048, profile.name);
    }
  });
});

describe('lab: directories that the guest covers', () => {
  it('are those below its own file systems, outer ones first, each once', () => {
    assert.deepEqual(
      coveredPaths(['/tmp/a/b', '/home/x', '/tmp/a', '/tmp/a/b', '/tmp', '/tmpfoo', '/run/y']),
      ['/run/y', '/tmp/a', '/tmp/a/b'],
    );
  });
});
