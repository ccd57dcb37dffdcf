import { describeIommu, type Iommu } from './iommus.js';
import { isBuilt } from './kernel-source.js';
import type { DeviceKind, Profile } from './profiles.js';

/**
 * How the guest's processors are run: by the host's, emulated, or emulated by the count: one processor whose clock goes
 * on by a nanosecond with each instruction, so that the guest's times are numbers of instructions, and repeat.
 */
export type Accelerator = 'kvm' | 'tcg' | 'counted';

const accelerators: Readonly<Record<Accelerator, readonly string[]>> = {
  kvm: ['-accel', 'kvm'],
  tcg: ['-accel', 'tcg,thread=multi'],
  counted: ['-accel', 'tcg,thread=single', '-icount', 'shift=0,sleep=off'],
};

/** The files and descriptors of one run. */
export interface MachineFiles {
  kernel: string;
  initramfs: string;
  /** Where the kernel's console goes. */
  console: string;
  /** Shared read-only as "lab": lists that the guest's init reads. */
  settings: string;
  /** Shared read-write as "out". */
  out?: string | undefined;
  /** A directory for disk images. */
  images: string;
  /** The descriptor, in QEMU's own table, of the channel to the agent. */
  agentFd: number;
  /** The same for QEMU's monitor, and for the port by which the guest reaches it. */
  monitorFd: number;
  monitorPortFd: number;
  /** What the IOMMU's device can be told (iommus.ts), for those where that depends on QEMU. */
  iommuProperties?: ReadonlySet<string> | undefined;
  /** The speed of the guest's time stamp counter, where the kernel must not measure it (processor-clock.ts). */
  processorClockKhz?: number | undefined;
}

/** What a machine needs besides QEMU's arguments. */
export interface Machine {
  args: string[];
  /** Disk images to create before the start, sparse. */
  images: { file: string; sizeMiB: number }[];
  /** Kernel modules of the devices' own drivers. */
  modules: string[];
  /** Paths that must exist in the guest before the first command. */
  awaited: string[];
}

/** Puts a profile into QEMU's terms. */
export function buildMachine(profile: Profile, files: MachineFiles, accelerator: Accelerator): Machine {
  const iommu = describeIommu(profile.iommu, files.iommuProperties ?? new Set());
  const machine: Machine = { args: [], images: [], modules: [], awaited: [] };
  machine.args.push(
    ...['-M', iommu.machine, ...accelerators[accelerator], '-cpu', 'max'],
    ...['-smp', String(accelerator === 'counted' ? 1 : profile.cpus), '-m', String(profile.memoryMiB)],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...[
      '-kernel',
      files.kernel,
      '-initrd',
      files.initramfs,
      '-append',
      kernelCommandLine(profile, iommu, files),
    ],
    ...['-chardev', `file,id=console,path=${escape(files.console)}`, '-serial', 'chardev:console'],
    ...iommu.args,
    // The built kernels know PCIe's own way to plug and unplug devices only.
    ...(isBuilt(profile.kernel) ? ['-global', 'ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off'] : []),
    ...share('host', '/', true),
    ...share('lab', files.settings, true),
    ...(files.out === undefined ? [] : share('out', files.out, false)),
    ...['-device', 'virtio-serial-pci', '-chardev', `socket,id=agent,fd=${files.agentFd}`],
    ...['-device', 'virtserialport,chardev=agent,name=lab.agent'],
    ...['-chardev', `socket,id=monitor,fd=${files.monitorFd}`, '-mon', 'chardev=monitor,mode=control'],
    ...['-chardev', `socket,id=monitor-port,fd=${files.monitorPortFd}`],
    ...['-device', 'virtserialport,chardev=monitor-port,name=lab.monitor'],
  );
  profile.devices.forEach((device, index) => {
    const port = `port${index + 1}`;
    // Slots from 0x10 on, in order, so that the firmware numbers the buses 1, 2, 3, ...
    const slot = (0x10 + index).toString(16);
    machine.args.push(
      '-device',
      `pcie-root-port,id=${port},chassis=${index + 1},slot=${index + 1},addr=0x${slot}`,
    );
    addDevice(machine, device, port, files.images);
  });
  return machine;
}

/** What every boot says to the kernel, and the profile on top. */
function kernelCommandLine(
  profile: Profile,
  iommu: Iommu,
  files: Pick<MachineFiles, 'out' | 'processorClockKhz'>,
): string {
  return [
    'console=ttyS0 quiet panic=-1 oops=panic',
    // Otherwise the clock source falls back to HPET after some seconds and each reading of it costs 16 times more.
    'tsc=reliable',
    ...(files.processorClockKhz === undefined ? [] : [`tsc_early_khz=${files.processorClockKhz}`]),
    // The kernel's test of the timer counts on a processor that runs all the time; on a busy host it fails and panics.
    'no_timer_check',
    // Against attacks between programs of one processor, which cost an emulated one a tenth of its speed.
    'mitigations=off',
    ...iommu.cmdline,
    ...profile.cmdline,
    ...(files.out === undefined ? [] : ['lab.out']),
  ].join(' ');
}

function addDevice(
  machine: Machine,
  device: DeviceKind,
  bus: string,
  images: string,
  address?: string,
): void {
  // QEMU takes "0.1" for the second function of a card, and wants to be told at the first that there are more.
  const place = [
    `bus=${bus}`,
    ...(address === undefined ? [] : [`addr=${address}`]),
    ...(address?.endsWith('.0') ? ['multifunction=on'] : []),
    // By which the monitor can be told to pull it.
    ...(address === undefined ? [`id=card-${bus}`] : []),
  ].join(',');
  const id = address === undefined ? bus : `${bus}-${address}`;
  switch (device.kind) {
    case 'e1000e':
    case 'igb':
      machine.args.push('-netdev', `hubport,id=net-${id},hubid=${device.hub}`);
      machine.args.push('-device', `${device.kind},${place},netdev=net-${id},mac=${device.mac}`);
      machine.modules.push(device.kind);
      break;
    case 'virtio-net':
      machine.args.push('-netdev', `hubport,id=net-${id},hubid=${device.hub}`);
      // As for virtio-rng below: only so does its DMA go through the IOMMU.
      machine.args.push(
        '-device',
        `virtio-net-pci,${place},netdev=net-${id},mac=${device.mac},disable-legacy=on,iommu_platform=on` +
          `,speed=10000,duplex=full${device.packed === true ? ',packed=on' : ''}`,
      );
      machine.modules.push('virtio_net');
      break;
    case 'nvme': {
      const file = `${images}/${id}.img`;
      machine.images.push({ file, sizeMiB: device.sizeMiB });
      machine.args.push('-drive', `if=none,id=drive-${id},format=raw,cache=unsafe,file=${escape(file)}`);
      machine.args.push('-device', `nvme,${place},drive=drive-${id},serial=lab-${id}`);
      machine.modules.push('nvme');
      // Its driver looks for namespaces after its probe has returned.
      machine.awaited.push('/dev/nvme0n1');
      break;
    }
    case 'edu':
      machine.args.push(
        '-device',
        `edu,${place}${device.addressBits === 64 ? ',dma_mask=0xffffffffffffffff' : ''}`,
      );
      break;
    case 'pci-testdev':
      machine.args.push('-device', `${device.kind},${place}`);
      break;
    case 'virtio-rng':
      // Its DMA goes through the IOMMU like that of any other device, which virtio must be told.
      machine.args.push('-device', `virtio-rng-pci,${place},aer=on,disable-legacy=on,iommu_platform=on`);
      break;
    case 'vga':
      machine.args.push('-device', `VGA,${place}`);
      break;
    case 'functions':
      device.devices.forEach((below, index) => addDevice(machine, below, bus, images, `0.${index}`));
      break;
    case 'empty':
      break;
    case 'bridge':
      machine.args.push('-device', `pcie-pci-bridge,id=${id}-pci,${place}`);
      device.devices.forEach((below, index) =>
        addDevice(machine, below, `${id}-pci`, images, String(index + 1)),
      );
      break;
  }
}

function share(tag: string, directory: string, readOnly: boolean): string[] {
  const access = readOnly ? ',readonly=on' : '';
  return [
    ...[
      '-fsdev',
      `local,id=fs-${tag},path=${escape(directory)},security_model=none,multidevs=remap${access}`,
    ],
    ...['-device', `virtio-9p-pci,fsdev=fs-${tag},mount_tag=${tag}`],
  ];
}

/** A comma separates QEMU's options; doubled it stands for itself. */
function escape(text: string): string {
  return text.replaceAll(',', ',,');
}
