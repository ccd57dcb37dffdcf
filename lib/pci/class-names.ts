import { hex } from '../validate';

/** Base class and subclass (PCI Code and ID Assignment Specification, section 1) of what people drive from userspace. */
const names: Record<number, string> = {
  0x0100: 'SCSI controller',
  0x0104: 'RAID controller',
  0x0106: 'SATA controller',
  0x0107: 'SAS controller',
  0x0108: 'NVMe controller',
  0x0180: 'Mass storage controller',
  0x0200: 'Ethernet controller',
  0x0207: 'InfiniBand controller',
  0x0280: 'Network controller',
  0x0300: 'VGA controller',
  0x0302: '3D controller',
  0x0380: 'Display controller',
  0x0403: 'Audio device',
  0x0500: 'RAM controller',
  0x0600: 'Host bridge',
  0x0601: 'ISA bridge',
  0x0604: 'PCI bridge',
  0x0700: 'Serial controller',
  0x0780: 'Communication controller',
  0x0800: 'Interrupt controller',
  0x0880: 'System peripheral',
  0x0c03: 'USB controller',
  0x0c05: 'SMBus',
  0x1000: 'Encryption controller',
  0x1080: 'Encryption controller',
  0x1180: 'Signal processing controller',
  0x1200: 'Processing accelerator',
};

export function className(classCode: number): string {
  return names[classCode >> 8] ?? `class ${hex(classCode)}`;
}
