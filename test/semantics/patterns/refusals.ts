import { pattern, type Pattern, read } from '../pattern.js';

function refused(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return 'nothing was thrown';
}

/** What is refused is refused before anything is touched. */
export const refusals: readonly Pattern[] = [
  pattern({
    title: 'unaligned accesses touch nothing',
    body: r => [
      refused(() => r.read16(1)),
      refused(() => r.read32(2)),
      refused(() => r.read64(4)),
      refused(() => r.write16(3, 0)),
      refused(() => r.write32(1, 0)),
      refused(() => r.write64(4, 0n)),
    ],
    accesses: [],
    result: Array<string>(6).fill('ERR_OUT_OF_RANGE'),
  }),
  pattern({
    title: 'accesses outside touch nothing',
    body: r => [
      refused(() => r.read8(r.size)),
      refused(() => r.read32(-4)),
      refused(() => r.read64(2 ** 53)),
      refused(() => r.write32(r.size, 0)),
      refused(() => r.write8(0.5, 0)),
      refused(() => r.read32(NaN)),
    ],
    accesses: [],
    result: Array<string>(6).fill('ERR_OUT_OF_RANGE'),
  }),
  pattern({
    title: 'values that do not fit touch nothing',
    body: r => [
      refused(() => r.write8(0, 0x100)),
      refused(() => r.write16(0, -1)),
      refused(() => r.write32(0, 2 ** 32)),
      refused(() => r.write64(0, 2n ** 64n)),
      refused(() => r.write32(0, 1.5)),
    ],
    accesses: [],
    result: Array<string>(5).fill('ERR_OUT_OF_RANGE'),
  }),
  pattern({
    title: 'a refused read between two that are made',
    registers: { 0: [1n, 2n] },
    body: r => {
      const first = r.read32(0);
      refused(() => r.read32(2));
      return first + r.read32(0);
    },
    accesses: [read(32, 0, 1), read(32, 0, 2)],
    result: 3,
  }),
];
