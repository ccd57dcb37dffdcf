import assert from 'node:assert/strict';
import { decodeDeviceInfo } from '../../lib/device-info.js';

describe('device info', () => {
  const decode = (flags: number) =>
    decodeDeviceInfo({ flags, regionCount: 9, irqCount: 5, capabilities: [] });
  const named = (flags: number): string[] =>
    Object.entries(decode(flags)).flatMap(([name, value]) => (value === true ? [name] : []));

  it('names each flag of linux/vfio.h', () => {
    const bits = { reset: 1, pci: 2, platform: 4, amba: 8, ccw: 16, ap: 32, fslMc: 64, cdx: 256 };
    for (const [name, bit] of Object.entries(bits)) assert.deepEqual(named(bit), [name]);
    assert.deepEqual(named(0), []);
    assert.deepEqual(named(128), [], 'VFIO_DEVICE_FLAGS_CAPS is no property of the device');
  });

  it('decodes which atomic operations are completed, and keeps the raw bytes too', () => {
    const atomics = (bits: number) => {
      const capability = { id: 5, version: 1, data: Uint8Array.from([bits, 0, 0, 0]) };
      const info = decodeDeviceInfo({ flags: 3, regionCount: 9, irqCount: 5, capabilities: [capability] });
      assert.deepEqual(info.capabilities, [capability]);
      return info.atomics;
    };
    assert.deepEqual(atomics(1), { bits32: true, bits64: false, bits128: false });
    assert.deepEqual(atomics(2), { bits32: false, bits64: true, bits128: false });
    assert.deepEqual(atomics(4), { bits32: false, bits64: false, bits128: true });
    assert.deepEqual(atomics(7), { bits32: true, bits64: true, bits128: true });
    assert.equal(decode(3).atomics, undefined);
  });

  it('is frozen, capabilities included', () => {
    const capability = { id: 4, version: 1, data: new Uint8Array(8) };
    const info = decodeDeviceInfo({ flags: 3, regionCount: 9, irqCount: 5, capabilities: [capability] });
    assert.deepEqual([info.regionCount, info.irqCount], [9, 5]);
    assert.deepEqual(info.capabilities, [capability]);
    assert(
      Object.isFrozen(info) && Object.isFrozen(info.capabilities) && Object.isFrozen(info.capabilities[0]),
    );
  });
});
