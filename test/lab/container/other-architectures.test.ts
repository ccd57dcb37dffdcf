import assert from 'node:assert/strict';
import { release } from 'node:os';
import { Container } from 'vfio';
import { isAtLeast } from '../../../lab/kernel-options';
import { covers, refusal } from '../../support/covers';
import { needs } from '../../support/needs';
import { labSuite } from '../support/suite';

/** `__VFIO_RESERVED_TYPE1_NESTING_IOMMU`: an IOMMU model that nothing ever used. */
const nesting = 6;

labSuite('container: IOMMUs of other architectures, and of other times', () => {
  needs({ files: [Container.path] });

  it('PowerPC has its own, and its own handling of errors', () => {
    using container = Container.open();
    for (const extension of ['SpaprTce', 'SpaprTceV2', 'Eeh'] as const) {
      assert.equal(container.checkExtension(extension), 0, extension);
    }
    refusal('VFIO_SPAPR_TCE_IOMMU', 'VFIO_SPAPR_TCE_v2_IOMMU', 'VFIO_EEH');
  });

  it('two-stage type1 is gone since 6.13', () => {
    using container = Container.open();
    assert.equal(container.checkExtension(nesting), isAtLeast(release(), '6.13') ? 0 : 1);
    covers('__VFIO_RESERVED_TYPE1_NESTING_IOMMU');
  });
});
