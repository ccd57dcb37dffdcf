import assert from 'node:assert/strict';
import { decodeIrqInfo, IrqIndex } from '../../../lib/irq/irq-info.js';

describe('IRQ info', () => {
  it('names the kinds of PCI', () => {
    const names = Object.values(IrqIndex).map(index => decodeIrqInfo(index, { flags: 0, count: 1 }).name);
    assert.deepEqual(names, ['INTx', 'MSI', 'MSI-X', 'ERR', 'REQ']);
    assert.equal(decodeIrqInfo(5, { flags: 0, count: 1 }).name, 'irq 5');
  });

  it('names each flag of linux/vfio.h', () => {
    for (const [name, bit] of Object.entries({ eventfd: 1, maskable: 2, automasked: 4, noResize: 8 })) {
      const info = decodeIrqInfo(0, { flags: bit, count: 3 });
      const expected = { eventfd: false, maskable: false, automasked: false, noResize: false, [name]: true };
      assert.deepEqual(info, { index: 0, name: 'INTx', count: 3, ...expected });
      assert(Object.isFrozen(info));
    }
  });
});
