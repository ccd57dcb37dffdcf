import assert from 'node:assert/strict';
import { LabError } from '../../../lab/error.js';
import { loadOrder, moduleDependencies, moduleName } from '../../../lab/modules.js';

const available = new Map(
  Object.entries({
    nvme: ['nvme_core'],
    nvme_core: ['crc64'],
    crc64: [],
    vfio_pci: ['vfio', 'crc64'],
    vfio: [],
  }).map(([name, depends]) => [name, { name, depends }]),
);

describe('lab: kernel modules', () => {
  it('reads dependencies out of a module, with underscores', () => {
    const info = 'license=GPL\0depends=vfio-pci-core,vfio\0retpoline=Y\0';
    assert.deepEqual(moduleDependencies(Buffer.from(`ELF\0${info}`)), ['vfio_pci_core', 'vfio']);
    assert.deepEqual(moduleDependencies(Buffer.from('ELF\0depends=\0name=9pnet\0')), []);
    assert.deepEqual(moduleDependencies(Buffer.from('ELF\0name=9pnet\0')), []);
  });

  it('takes names out of paths', () => {
    assert.equal(moduleName('/lib/modules/x/vfio-pci-core.ko.xz'), 'vfio_pci_core');
    assert.equal(moduleName('9p'), '9p');
  });

  it('loads each once, after what it needs', () => {
    assert.deepEqual(loadOrder(['nvme', 'vfio-pci'], available), [
      'crc64',
      'nvme_core',
      'nvme',
      'vfio',
      'vfio_pci',
    ]);
  });

  it('leaves out what the kernel has built in', () => {
    assert.deepEqual(loadOrder(['virtio_pci', 'vfio'], available), ['vfio']);
  });

  it('refuses a circle instead of going round in it', () => {
    const circle = new Map([
      ['a', { name: 'a', depends: ['b'] }],
      ['b', { name: 'b', depends: ['a'] }],
    ]);
    assert.throws(
      () => loadOrder(['a'], circle),
      new LabError('kernel modules depend on each other: a → b → a'),
    );
  });
});
