/** What a sanitized process is told by its environment, and where it leaves word. */
export const variables = {
  /** The file of the addon to load. */
  addon: 'VFIO_SANITIZE_ADDON',
  /** The sanitizer's library, for children that are Node's. */
  runtime: 'VFIO_SANITIZE_RUNTIME',
  /** The number of the process that has it loaded, for its workers. */
  process: 'VFIO_SANITIZE_PROCESS',
  /** The directory that the process of the tests writes to; its children have none. */
  directory: 'VFIO_SANITIZE_DIRECTORY',
  /** ASAN_OPTIONS for its children. */
  children: 'VFIO_SANITIZE_CHILDREN',
  /** A file there with a character for each time that the addon was loaded. */
  loaded: 'sanitized-addon-loaded',
  /** The sanitizers' reports there: this, a dot, and the process's number. */
  report: 'sanitizer-report',
} as const;
