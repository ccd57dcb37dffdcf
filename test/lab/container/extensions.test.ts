import assert from 'node:assert/strict';
import { Container, Extension, type ExtensionName } from 'vfio';
import { covers } from '../../support/covers';
import { labSuite } from '../support/suite';

labSuite('container: what the kernel offers', () => {
  let container: Container;
  before(() => (container = Container.open()));
  after(() => container.close());

  it('speaks API version 0', () => {
    assert.equal(container.apiVersion, 0);
    covers('VFIO_GET_API_VERSION', 'VFIO_API_VERSION');
  });

  it('has type1 and type1v2, unmapping of everything at once, and no IOMMU of another architecture', () => {
    const answers = Object.fromEntries(
      (Object.keys(Extension) as ExtensionName[]).map(name => [name, container.checkExtension(name)]),
    );
    assert.equal(answers['Type1'], 1);
    assert.equal(answers['Type1v2'], 1);
    assert.equal(answers['UnmapAll'], 1);
    assert.equal(answers['SpaprTce'], 0);
    assert.equal(answers['SpaprTceV2'], 0);
    assert.equal(answers['Eeh'], 0);
    assert.equal(answers['NoIommu'], 0, 'these kernels are built without it');
    covers('VFIO_CHECK_EXTENSION', 'VFIO_UNMAP_ALL');
  });

  it('takes an extension by number as well as by name', () => {
    for (const [name, number] of Object.entries(Extension)) {
      assert.equal(container.checkExtension(number), container.checkExtension(name as ExtensionName), name);
    }
  });

  it('answers 0 to numbers nobody knows', () => {
    assert.equal(container.checkExtension(4711), 0);
    assert.equal(container.checkExtension(2 ** 31 - 1), 0);
  });

  it('is asked for nothing after it was closed', () => {
    const closed = Container.open();
    closed.close();
    closed.close();
    assert.equal(closed.closed, true);
    assert.throws(() => closed.checkExtension('Type1'), { code: 'ERR_VFIO_CLOSED' });
    assert.throws(() => closed.setIommu(), { code: 'ERR_VFIO_CLOSED' });
    assert.throws(() => closed.iommuInfo(), { code: 'ERR_VFIO_CLOSED' });
    assert.throws(() => closed.dma.alloc(4096), { code: 'ERR_VFIO_CLOSED' });
    assert.deepEqual(closed.groups, []);
    assert.equal(closed.iommuType, undefined);
  });
});
