import assert from 'node:assert/strict';
import type { Registers } from 'vfio';
import { bit, bits, Counters, defineRegisters } from 'vfio/kit';

/** Registers that are memory, and every access to them. */
class Memory {
  readonly size = 0x100;
  readonly bytes = new DataView(new ArrayBuffer(0x100));
  accesses: string[] = [];

  readonly registers = {
    size: this.size,
    ...Object.fromEntries(
      ([8, 16, 32] as const).flatMap(width => [
        [
          `read${width}`,
          (offset: number) => {
            this.accesses.push(`r${width} ${offset}`);
            return this.bytes[`getUint${width}`](offset, true);
          },
        ],
        [
          `write${width}`,
          (offset: number, value: number) => {
            this.accesses.push(`w${width} ${offset} ${value >>> 0}`);
            this.bytes[`setUint${width}`](offset, value, true);
          },
        ],
      ]),
    ),
  } as unknown as Registers;

  /** The accesses since last time. */
  take(): string[] {
    const { accesses } = this;
    this.accesses = [];
    return accesses;
  }
}

const map = defineRegisters({
  CTRL: { offset: 0, access: 'rw', fields: { FD: bit(0), SPEED: bits(7, 6), TOP: bit(31) } },
  STATUS: { offset: 8, access: 'ro', fields: { LU: bit(1), ALL: bits(31, 2) } },
  DOORBELL: { offset: 0x10, access: 'wo', fields: { QUEUE: bits(7, 0), VALUE: bits(31, 16) } },
  CAUSE: { offset: 0x20, access: 'w1c', fields: { LINK: bit(2), RX: bits(5, 4) } },
  COUNT: { offset: 0x24, access: 'rc' },
  SMALL: { offset: 0x31, access: 'rw', width: 8 },
  MIDDLE: { offset: 0x32, access: 'w1c', width: 16 },
  WHOLE: { offset: 0x34, access: 'rw', fields: { VALUE: bits(31, 0) } },
  TABLE: { offset: 0x40, access: 'rw', count: 4, stride: 8 },
});

describe('kit: register maps', () => {
  let memory: Memory;
  const over = (): ReturnType<typeof map.over> => map.over(memory.registers);

  beforeEach(() => {
    memory = new Memory();
  });

  it('read and write with one access of the right width', () => {
    const regs = over();
    assert.deepEqual(memory.take(), [], 'laying it over touches nothing');
    memory.bytes.setUint32(0, 0x800000c1, true);
    assert.equal(regs.CTRL.read(), 0x800000c1);
    assert.equal(regs.CTRL.get('SPEED'), 3);
    regs.CTRL.write(5);
    regs.SMALL.write(0x7f);
    assert.equal(regs.SMALL.read(), 0x7f);
    regs.MIDDLE.clear();
    assert.deepEqual(memory.take(), ['r32 0', 'r32 0', 'w32 0 5', 'w8 49 127', 'r8 49', 'w16 50 65535']);
  });

  it('set fields and zeroes elsewhere, or keep what is there', () => {
    const regs = over();
    regs.CTRL.set({ SPEED: 2, TOP: 1 });
    assert.equal(regs.CTRL.read(), 0x80000080);
    regs.CTRL.update({ FD: 1, SPEED: 1 });
    assert.equal(regs.CTRL.read(), 0x80000041);
    regs.DOORBELL.set({ QUEUE: 3, VALUE: 0xffff });
    regs.WHOLE.set({ VALUE: 0xffffffff });
    assert.equal(regs.WHOLE.get('VALUE'), 0xffffffff);
    assert.deepEqual(memory.take(), [
      'w32 0 2147483776',
      'r32 0',
      'r32 0',
      'w32 0 2147483713',
      'r32 0',
      'w32 16 4294901763',
      'w32 52 4294967295',
      'r32 52',
    ]);
  });

  it('take values apart and put them together without an access', () => {
    const { CTRL, STATUS } = over();
    assert.equal(CTRL.extract('TOP', 0x80000000), 1);
    assert.equal(STATUS.extract('ALL', 0xffffffff), 2 ** 30 - 1);
    assert.equal(CTRL.compose({ SPEED: 0 }, 0xff), 0x3f);
    assert.deepEqual(memory.take(), []);
  });

  it('clear by writing ones, to what is named and to nothing else', () => {
    const { CAUSE } = over();
    CAUSE.clearFields('LINK');
    CAUSE.clearFields('RX', 'LINK');
    CAUSE.clear(1);
    CAUSE.clear();
    assert.deepEqual(memory.take(), ['w32 32 4', 'w32 32 52', 'w32 32 1', 'w32 32 4294967295']);
    assert.equal('update' in CAUSE, false);
    assert.equal('write' in CAUSE, false);
  });

  it('have, by their kind, only what makes sense', () => {
    const { STATUS, DOORBELL, COUNT } = over();
    assert.equal('write' in STATUS || 'set' in STATUS, false);
    assert.equal('read' in DOORBELL || 'get' in DOORBELL, false);
    assert.equal('read' in COUNT, false);
    COUNT.take();
    assert.deepEqual(memory.take(), ['r32 36']);
  });

  it('are arrays, too', () => {
    const { TABLE } = over();
    assert.equal(TABLE.length, 4);
    TABLE.at(3).write(9);
    for (const one of TABLE) one.read();
    assert.deepEqual(memory.take(), ['w32 88 9', 'r32 64', 'r32 72', 'r32 80', 'r32 88']);
    assert.throws(() => TABLE.at(4), /index of TABLE must be an integer from 0 to 3; got 4/);
  });

  it('refuse values that do not fit, and fields there are not', () => {
    const { CTRL, STATUS, COUNT } = over();
    assert.throws(() => CTRL.set({ SPEED: 4 }), /field SPEED of CTRL must be an integer from 0 to 3; got 4/);
    assert.throws(() => CTRL.update({ FD: -1 }), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => STATUS.get('LINK' as 'LU'), /STATUS has no field 'LINK'; it has: LU, ALL/);
    assert.throws(() => COUNT.extract('X' as never, 0), /COUNT has no field 'X'; it has: none/);
    assert.throws(() => CTRL.extract('toString' as 'FD', 0), /no field/);
  });

  it('are refused when they cannot be', () => {
    const bad: [spec: object, message: RegExp][] = [
      [{ offset: 2, access: 'rw' }, /register X: offset must be a multiple of 4; got 2/],
      [{ offset: -4, access: 'rw' }, /register X: offset/],
      [{ offset: 0, access: 'rx' }, /register X: access must be one of rw, ro, wo, w1c, rc; got 'rx'/],
      [{ offset: 0, access: 'rw', width: 24 }, /register X: width must be 8, 16 or 32; got 24/],
      [{ offset: 0, access: 'rw', fields: { A: bits(3, 0), B: bit(3) } }, /field B overlaps another/],
      [{ offset: 0, access: 'rw', width: 8, fields: { A: bit(8) } }, /field A: lowest bit/],
      [{ offset: 0, access: 'rw', fields: { A: bits(3, 7) } }, /field A: number of bits/],
      [{ offset: 0, access: 'rw', fields: { A: 3 } }, /field A must be made by bit\(\) or bits\(\); got 3/],
      [{ offset: 0, access: 'rw', count: 0 }, /register X: count/],
      [{ offset: 0, access: 'rw', count: 2, stride: 6 }, /register X: stride must be a multiple of 4/],
    ];
    for (const [spec, message] of bad) assert.throws(() => defineRegisters({ X: spec as never }), message);
    const far = defineRegisters({ FAR: { offset: 0xfc, access: 'rw', count: 2 } });
    assert.throws(() => far.over(memory.registers), /register FAR must be inside the 0x100 bytes/);
  });
});

describe('kit: counters', () => {
  it('add up those that reading clears and those that start again at 0', () => {
    let cleared = 5;
    let wraps = 0xfffffff0;
    const counters = new Counters({
      cleared: {
        kind: 'clears',
        read: () => {
          const value = cleared;
          cleared = 0;
          return value;
        },
      },
      wraps: { kind: 32, read: () => wraps },
    });
    assert.deepEqual(counters.read(), { cleared: 0, wraps: 0 });
    cleared = 3;
    wraps = 0x10;
    assert.deepEqual(counters.read(), { cleared: 3, wraps: 0x20 });
    cleared = 4;
    assert.deepEqual(counters.read(), { cleared: 7, wraps: 0x20 });
    assert.equal(counters.last('cleared'), 7);
    assert.throws(() => counters.last('lost' as 'wraps'), /no counter 'lost'; there are: cleared, wraps/);
    assert.throws(() => new Counters({ odd: { kind: 12 as 8, read: () => 0 } }), /the kind of counter odd/);
  });
});
