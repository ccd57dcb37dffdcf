/** What the kernel itself counted: a witness that owes this package nothing. */
import { readFileSync } from 'node:fs';

/** How often the kernel has taken the interrupt of one MSI-X vector of a VFIO device. */
export function kernelInterrupts(address: string, vector: number): number {
  return countInterrupts(readFileSync('/proc/interrupts', 'utf8'), `vfio-msix[${vector}](${address})`);
}

/** Adds up the processors' columns of the line of /proc/interrupts that ends in `name`; 0 without such a line. */
export function countInterrupts(table: string, name: string): number {
  const line = table.split('\n').find(text => text.trimEnd().endsWith(name));
  const columns = line?.split(':', 2)[1]?.trim().split(/\s+/) ?? [];
  let sum = 0;
  for (const column of columns) {
    if (!/^\d+$/.test(column)) break;
    sum += Number(column);
  }
  return sum;
}
