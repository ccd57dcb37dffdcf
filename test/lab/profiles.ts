/**
 * Which tests run on which machine beside `stock`, on which all of them do: globs below test/lab. What is about the kernel
 * runs again on another one; what is about this library's own processes and threads does not.
 */
export const profileTests: Readonly<Record<string, readonly string[]>> = {
  'stock-6.12': [
    'kernel-6.12/**/*.test.js',
    'container/**/*.test.js',
    'group/open.test.js',
    'group/members.test.js',
    'device/open.test.js',
    'device/close.test.js',
    'device/failed-open.test.js',
    'device/release-request.test.js',
    'device/reset.test.js',
    'regions/access.test.js',
    'regions/config.test.js',
    'regions/dead-mapping.test.js',
    'regions/memory-decoding.test.js',
    'regions/msix-hole.test.js',
    'interrupts/intx.test.js',
    'interrupts/many.test.js',
    'interrupts/msi.test.js',
    'interrupts/msix-*.test.js',
    'ioeventfd/**/*.test.js',
    'dma/budget.test.js',
    'dma/map.test.js',
    'dma/placement.test.js',
    'dma/protection.test.js',
  ],
};
