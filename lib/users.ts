/**
 * Who uses a group or an iommufd: the devices opened through it, also while that lasts, and those who mean to open one.
 * What the library opened by itself, for `Device.open`, ends with the last of them; the user can reach it too, and open
 * more devices through it.
 */
export class Users {
  #count = 0;
  #end: (() => void) | undefined;

  get count(): number {
    return this.#count;
  }

  /** Nobody else closes it: `end` does when the last user has left. */
  endWithLast(end: () => void): void {
    this.#end = end;
  }

  enter(): void {
    this.#count++;
  }

  leave(): void {
    if (--this.#count === 0) this.#end?.();
  }
}
