import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { needs } from '../../support/needs';
import { cdevOf, groupOf, names } from './support';

const parents = '/sys/class/mdev_bus';

/** One type of each of the kernel's samples. */
const types = { mtty: 'mtty-2', mdpy: 'mdpy-vga', mbochs: 'mbochs-small' };

describe('machine: mediated devices', () => {
  needs({ files: [parents] });

  it("come from the kernel's three samples", () => {
    assert.deepEqual(names(parents).sort(), Object.keys(types).sort());
  });

  for (const [parent, type] of Object.entries(types)) {
    it(`of ${parent} are VFIO devices with a group and a node`, () => {
      const uuid = randomUUID();
      const device = `/sys/bus/mdev/devices/${uuid}`;
      fs.writeFileSync(`${parents}/${parent}/mdev_supported_types/${type}/create`, uuid);
      try {
        assert.ok(fs.statSync(`/dev/vfio/${groupOf(device)}`).isCharacterDevice());
        assert.ok(fs.statSync(`/dev/vfio/devices/${cdevOf(device) ?? '?'}`).isCharacterDevice());
      } finally {
        fs.writeFileSync(`${device}/remove`, '1');
      }
      assert.ok(!fs.existsSync(device));
    });
  }
});
