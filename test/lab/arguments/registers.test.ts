import assert from 'node:assert/strict';
import type { Mapping, Region } from 'vfio';
import { devices } from '../../../lab/devices';
import { opened } from '../support/bound';
import { Reg } from '../support/nic';
import { labSuite } from '../support/suite';
import {
  any,
  between,
  isAddress,
  isBoolean,
  never,
  optional,
  wrongArguments,
} from '../support/wrong-arguments';

const widest = { 8: 2 ** 8 - 1, 16: 2 ** 16 - 1, 32: 2 ** 32 - 1 } as const;

labSuite('wrong arguments: regions, mappings, config space, ioeventfds', () => {
  const nic = opened(devices.nicA);
  let mapping: Mapping;
  before(() => (mapping = nic.device.bar(0).map()));
  after(() => mapping.close());
  const bar = (): Region => nic.device.bar(0);
  const targets = { Region: bar, Mapping: () => mapping, PciConfig: () => nic.device.config };
  const inside = (bits: number) => (value: unknown) =>
    between(0, 0x1ffff)(value) && (value as number) % (bits / 8) === 0;

  wrongArguments((add, addOptions) => {
    for (const [of, target] of Object.entries(targets)) {
      for (const bits of [8, 16, 32] as const) {
        const value = between(bits === 32 ? -(2 ** 31) : 0, widest[bits]);
        add(`${of}.read${bits}`, 'offset', inside(bits), v => target()[`read${bits}`](any(v)));
        add(`${of}.write${bits}`, 'offset', inside(bits), v => target()[`write${bits}`](any(v), 0));
        add(`${of}.write${bits}`, 'value', value, v => target()[`write${bits}`](Reg.MTA & 0xff, any(v)));
      }
      const u64 = (value: unknown): boolean => typeof value === 'bigint' && isAddress(value);
      add(`${of}.read64`, 'offset', inside(64), v => target().read64(any(v)));
      add(`${of}.write64`, 'offset', inside(64), v => target().write64(any(v), 0n));
      add(`${of}.write64`, 'value', u64, v => target().write64(0, any(v)));
    }
    add('Region.read', 'offset', between(0, 0x1fffc), v => bar().read(any(v), new Uint8Array(4)));
    add('Region.read', 'target', never, v => bar().read(0, any(v)));
    add('Region.write', 'offset', between(0, 0x1fffc), v => bar().write(any(v), new Uint8Array(4)));
    add('Region.write', 'source', never, v => bar().write(0, any(v)));
    const mapOptions = {
      offset: optional(v => v === 0),
      size: optional(between(1, 0x20000)),
      writable: optional(isBoolean),
    };
    addOptions('Region.map', 'options', mapOptions, v => bar().map(any(v)).close());
    add('Region.ioeventfd', 'offset', between(0, 0x1ffff), v => bar().ioeventfd(any(v), 8, 0).close());
    add('Region.ioeventfd', 'width', never, v => bar().ioeventfd(Reg.MTA, any(v), 0).close());
    const byte = (value: unknown): boolean => isAddress(value) && Number(value) < 256;
    add('Region.ioeventfd', 'value', byte, v => bar().ioeventfd(Reg.MTA, 8, any(v)).close());
    const { config } = { config: () => nic.device.config };
    add('PciConfig.busMaster', 'busMaster', isBoolean, v => (config().busMaster = any(v)));
    add('PciConfig.memoryDecoding', 'memoryDecoding', isBoolean, v => (config().memoryDecoding = any(v)));
    add('PciConfig.find', 'which', between(0, 0xffff), v => config().find(any(v)));
    add('PciConfig.findExtended', 'which', between(0, 0xffff), v => config().findExtended(any(v)));
    add('PciConfig.barRegister', 'index', between(0, 5), v => config().barRegister(any(v)));
    add('Device.bar', 'index', between(0, 5), v => nic.device.bar(any(v)));
    add('Device.region', 'index', between(0, 8), v => nic.device.region(any(v)));
    add('Device.irq', 'index', between(0, 2 ** 31 - 1), v => nic.device.irq(any(v)));
  });

  it('and the device is as it was', () => {
    assert.equal(mapping.read32(Reg.STATUS), bar().read32(Reg.STATUS));
    assert.deepEqual([nic.device.config.busMaster, nic.device.config.memoryDecoding], [false, true]);
  });
});
