import { type Binding, bindDevice, Device, type OpenOptions } from 'vfio';
import { lastly } from './suite';

/** Binds devices to vfio-pci for the tests of a suite, and gives them back afterwards. */
export function bound(...addresses: string[]): void {
  const bindings: Binding[] = [];
  before(`bind ${addresses.join(', ')}`, async () => {
    for (const address of addresses) bindings.push(await bindDevice(address));
  });
  lastly(`give back ${addresses.join(', ')}`, async () => {
    for (const binding of bindings.splice(0).reverse()) await binding.restore();
  });
}

/** Has a device open during the tests of a suite; it is there when they run. */
export function opened(address: string, options: OpenOptions = {}): { readonly device: Device } {
  let device: Device | undefined;
  before(`open ${address}`, async () => {
    device = await Device.open(address, { ...options, bind: true });
  });
  lastly(`close ${address}`, () => device?.close());
  return {
    get device() {
      if (device === undefined) throw new Error(`${address} is not open: this belongs into a test`);
      return device;
    },
  };
}
