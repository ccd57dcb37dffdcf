import { VfioError } from './vfio-error';

/**
 * The kernel said something that contradicts itself or cannot be. It never should; but what hangs on its answers is which
 * memory a device may write to, so that nothing is guessed then.
 */
export function badAnswer(syscall: string, what: string): VfioError {
  return new VfioError(`The kernel's answer to ${syscall} cannot be right: ${what}`, {
    code: 'EPROTO',
    syscall,
    likelyCause: 'a fault of the kernel, or of the driver that the device is bound to',
  });
}
