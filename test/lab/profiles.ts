/**
 * Tests that take many seconds each: of processes and threads that end in the middle of everything, of cards that are
 * pulled. The matrix runs them, and not on every machine, as they are about this library.
 */
export const thorough = {
  globs: ['shared/**', 'thorough/**', 'unplug/**'],
  profiles: ['stock', 'intel-iommu'],
} as const;

/** The drivers of the examples for NICs that only one machine has: `npm run test:nics`, and the matrix. */
export const nics = { profile: 'nics', glob: 'nics/**/*.test.js' } as const;

/**
 * Which tests `npm test` runs on which machine beside `stock`, on which all of them run: globs below test/lab. Here what
 * that kernel has and the older one has not, and the way through a device's life; the matrix runs all of them on all
 * machines.
 */
export const profileTests: Readonly<Record<string, readonly string[]>> = {
  'stock-6.12': [
    'kernel-6.12/**/*.test.js',
    'device/open.test.js',
    'regions/msix-hole.test.js',
    'interrupts/msix-*.test.js',
  ],
};
