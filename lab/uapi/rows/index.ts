/**
 * The uAPI coverage table: what this package does about every name of linux/vfio.h and linux/iommufd.h. A name that is
 * new in a header gets its row here, in the section where a reader would look for it.
 */
import { container, type1 } from './container.js';
import { cdev, device } from './device.js';
import { features, migration } from './feature.js';
import { interrupts, ioeventfds } from './interrupt.js';
import { ioas, iommufd } from './iommufd.js';
import { faults, hwInfo, pageTables, virtualIommus } from './page-table.js';
import { powerpc } from './powerpc.js';
import { display, regions } from './region.js';

export { excluded } from './excluded.js';

/** In the order of the document. */
export const sections = [
  container,
  type1,
  device,
  regions,
  interrupts,
  ioeventfds,
  features,
  migration,
  display,
  cdev,
  iommufd,
  ioas,
  pageTables,
  hwInfo,
  faults,
  virtualIommus,
  powerpc,
] as const;

type NamesOf<Part> = Part extends { rows: infer Rows } ? keyof Rows & string : never;

/** A name that has a row. */
export type UapiEntry = NamesOf<(typeof sections)[number]>;
