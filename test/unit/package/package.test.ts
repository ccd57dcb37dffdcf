import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as vfio from '../../../lib/index.js';
import { Packed } from '../../support/packed.js';

const root = path.join(__dirname, '..', '..', '..', '..');

/** Everything that a program can import, in alphabetical order: what is added or taken away is a decision. */
const names = [
  'Binding',
  'Container',
  'Device',
  'Display',
  'Dma',
  'DmaBuf',
  'DmaBuffer',
  'DmaLogging',
  'EventFd',
  'Extension',
  'FaultQueue',
  'Feature',
  'Features',
  'Group',
  'HwPageTable',
  'HwQueue',
  'HwptDataType',
  'Intx',
  'IoEventFd',
  'Ioas',
  'Iommu',
  'Iommufd',
  'IovaMapping',
  'IrqIndex',
  'IrqVector',
  'LowPower',
  'Mapping',
  'MessageInterrupts',
  'Migration',
  'MigrationStream',
  'PciConfig',
  'Region',
  'RegionIndex',
  'VfioError',
  'Viommu',
  'ViommuType',
  'VirtualDevice',
  'VirtualEventQueue',
  'adopt',
  'bindDevice',
  'bindDeviceSync',
  'doctor',
  'findDevice',
  'listDevices',
  'migrationStates',
  'parseAddress',
];

/** What `vfio/kit` has, likewise. */
const kitNames = [
  'Arena',
  'BufferPool',
  'Burst',
  'ClearOnReadRegister',
  'ClearOnWriteRegister',
  'Counters',
  'Doorbell',
  'Forwarder',
  'LaneReceiver',
  'LaneSender',
  'ReadOnlyRegister',
  'ReadWriteRegister',
  'RegisterArray',
  'RxChecksum',
  'RxLoop',
  'RxRing',
  'StopFlag',
  'TxRing',
  'TxSender',
  'WriteOnlyRegister',
  'advancedRx',
  'advancedTx',
  'allocLane',
  'bit',
  'bits',
  'busyPoll',
  'defineRegisters',
  'withLanes',
];

describe('the package', function () {
  this.timeout(60_000);
  let packed: Packed;

  before(() => {
    packed = new Packed();
  });
  after(() => packed[Symbol.dispose]());

  /** What a program in the directory of the package's user prints. */
  const run = (file: string, source: string): string => {
    writeFileSync(path.join(packed.directory, file), source);
    const { status, stdout, stderr } = spawnSync(process.execPath, [file], {
      cwd: packed.directory,
      encoding: 'utf8',
    });
    assert.deepEqual([status, stderr], [0, ''], `${file} ended with ${status}: ${stderr}`);
    return stdout.trim();
  };

  it('holds what it needs', () => {
    const { files } = packed;
    for (const file of [
      'package.json',
      'binding.gyp',
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      'dist/lib/index.js',
      'dist/lib/index.d.ts',
    ])
      assert(files.includes(file), `${file} is missing`);
    const native = readdirSync(path.join(root, 'native')).map(file => `native/${file}`);
    assert.deepEqual(files.filter(file => file.startsWith('native/')).sort(), native.sort());
    const sources = readdirSync(path.join(root, 'lib'), { recursive: true, encoding: 'utf8' }).filter(file =>
      file.endsWith('.ts'),
    );
    for (const source of sources) {
      const output = `dist/lib/${source.replace(/\.ts$/, '')}`;
      assert(files.includes(`${output}.js`) && files.includes(`${output}.d.ts`), `${output} is missing`);
    }
  });

  it('holds nothing else', () => {
    const expected = [
      /^(package\.json|binding\.gyp|README\.md|LICENSE|CHANGELOG\.md)$/,
      /^native\/[a-z0-9-]+\.(cc|h)$/,
      /^dist\/lib\/[a-z0-9/-]+\.(js|d\.ts|js\.map)$/,
    ];
    assert.deepEqual(
      packed.files.filter(file => !expected.some(pattern => pattern.test(file))),
      [],
    );
    const sources = new Set(
      readdirSync(path.join(root, 'lib'), { recursive: true, encoding: 'utf8' }).map(file =>
        file.replace(/\.ts$/, ''),
      ),
    );
    const orphans = packed.files
      .filter(file => file.startsWith('dist/lib/'))
      .filter(file => !sources.has(file.slice('dist/lib/'.length).replace(/\.(js|d\.ts|js\.map)$/, '')));
    assert.deepEqual(orphans, []);
  });

  it('exports what it promises', () => {
    assert.deepEqual(Object.keys(vfio).sort(), names);
  });

  it('is loaded by require()', () => {
    assert.deepEqual(
      JSON.parse(run('a.cjs', `console.log(JSON.stringify(Object.keys(require('vfio')).sort()))`)),
      names,
    );
  });

  it('is loaded by import, named, default and whole', () => {
    const source = `
      import vfio, { ${names.join(', ')} } from 'vfio';
      import * as whole from 'vfio';
      import { createRequire } from 'node:module';
      const required = createRequire(import.meta.url)('vfio');
      const missing = ${JSON.stringify(names)}.filter(name => !(name in whole));
      console.log(JSON.stringify([missing, vfio === required, Device === required.Device, whole.EventFd === EventFd]));`;
    assert.deepEqual(JSON.parse(run('a.mjs', source)), [[], true, true, true]);
  });

  it('has the driver kit as a subpath, by require() and by import', () => {
    const required = run('k.cjs', `console.log(JSON.stringify(Object.keys(require('vfio/kit')).sort()))`);
    assert.deepEqual(JSON.parse(required), kitNames);
    const source = `
      import { ${kitNames.join(', ')} } from 'vfio/kit';
      const pool = new BufferPool(new Arena(65536), { count: 4 });
      console.log(pool.take() > 0, bit(3).shift);`;
    assert.equal(run('k.mjs', source), 'true 3');
  });

  it('finds its addon', () => {
    assert.equal(
      run('b.cjs', `const e = new (require('vfio').EventFd)(); e.signal(); console.log(e.fd > 2)`),
      'true',
    );
  });

  it('keeps the rest to itself', () => {
    const source = `import('vfio/dist/lib/native.js').catch(error => console.log(error.code))`;
    assert.equal(run('c.cjs', source), 'ERR_PACKAGE_PATH_NOT_EXPORTED');
    const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
      version: string;
    };
    assert.equal(run('d.cjs', `console.log(require('vfio/package.json').version)`), version);
  });

  it('says how to build what is not built', () => {
    packed.unbuild();
    try {
      const source = `
        const { EventFd, parseAddress } = require('vfio');
        try { new EventFd() } catch (error) { console.log(parseAddress('03:00.0'), error.code, error.message) }`;
      assert.match(
        run('e.cjs', source),
        /^0000:03:00.0 ERR_VFIO_NOT_BUILT .*not there or does not load.*npm rebuild vfio/,
      );
    } finally {
      packed.build();
    }
  });

  it('loads elsewhere than on Linux, and says what it is for', () => {
    const source = `
      Object.defineProperty(process, 'platform', { value: 'darwin' });
      const { EventFd, Extension, parseAddress } = require('vfio');
      try { new EventFd() } catch (error) { console.log(Extension.Type1v2, parseAddress('03:00.0'), error.code, error.message) }`;
    assert.match(run('f.cjs', source), /^3 0000:03:00.0 ERR_VFIO_UNSUPPORTED vfio cannot run on darwin/);
  });
});
