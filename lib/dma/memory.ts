import { isSystemError } from '../errors/explain';
import { native, type MemoryHandle } from '../native';

/** Memory its user has freed, but which a copy of its mapping in another address space still shows to devices. */
const lingering = new Set<MemoryHandle>();

/** Gives memory back as soon as no device can reach it. */
export function freeMemory(memory: MemoryHandle): void {
  try {
    native().memoryFree(memory);
    lingering.delete(memory);
  } catch (error) {
    if (!isSystemError(error) || error.code !== 'EBUSY') throw error;
    lingering.add(memory);
  }
}

/** A mapping has ended that may have been the last one of some memory. */
export function freeLingering(): void {
  for (const memory of lingering) freeMemory(memory);
}
