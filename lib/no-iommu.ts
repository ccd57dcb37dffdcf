import { Capability, hasCapability } from './errors/facts';
import { VfioError } from './errors/vfio-error';

let warned = false;

/**
 * No-IOMMU mode is entered exactly when it was asked for by name, by a process that may, and not without a word: the
 * warning comes once a process, since people forget what they asked for.
 *
 * @param what how messages call it: `Group 3`
 * @param path its node
 * @param is whether no IOMMU guards it
 * @param asked the caller's `noIommu`
 */
export function consentToNoIommu(what: string, path: string, is: boolean, asked: boolean): void {
  if (is !== asked) {
    throw new VfioError(
      asked ? `${what} has an IOMMU` : `${what} has no IOMMU: nothing guards memory from its devices`,
      {
        code: asked ? 'ERR_VFIO_UNSUPPORTED' : 'ERR_VFIO_NO_IOMMU',
        cure: asked ? 'leave out noIommu: true' : 'an IOMMU, or { noIommu: true } if you accept that',
      },
    );
  }
  if (!asked) return;
  if (!hasCapability(Capability.SysRawio)) {
    throw new VfioError(`Opening ${what} without an IOMMU is not allowed`, {
      code: 'EPERM',
      path,
      likelyCause: 'this process lacks CAP_SYS_RAWIO',
      cure: 'run as root, or with that capability',
    });
  }
  if (warned) return;
  warned = true;
  process.emitWarning(
    'no-IOMMU mode: the device can reach all memory of this machine; nothing is protected from it',
    { code: 'VFIO_NO_IOMMU' },
  );
}
