import * as fs from 'node:fs';
import { type Binding, bindDevice } from 'vfio';
import { sriovDevices } from '../../../lab/devices';
import { lastly } from './suite';

/** The physical function of the profile sr-iov that is split up. */
export const physical = sriovDevices.nicA;

/**
 * Binds the physical function to vfio-pci and has it make virtual functions, which the kernel puts on vfio-pci too, for the
 * tests of a suite. Returns their addresses: they are there when the tests run.
 */
export function virtualFunctions(count: number): readonly string[] {
  const addresses: string[] = [];
  const switchFile = `/sys/bus/pci/devices/${physical}/sriov_numvfs`;
  let binding: Binding | undefined;
  before(`make ${count} virtual functions`, async () => {
    binding = await bindDevice(physical);
    fs.writeFileSync(switchFile, String(count));
    for (let i = 0; i < count; i++) {
      const link = fs.readlinkSync(`/sys/bus/pci/devices/${physical}/virtfn${i}`);
      addresses.push(link.slice(link.lastIndexOf('/') + 1));
    }
  });
  lastly('remove the virtual functions', async () => {
    if (addresses.length > 0) fs.writeFileSync(switchFile, '0');
    await binding?.restore();
  });
  return addresses;
}
