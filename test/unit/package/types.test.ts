import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { Packed } from '../../support/packed.js';

const root = path.join(__dirname, '..', '..', '..', '..');

/** A driver of someone who installed the package: what it uses must have these types. */
const program = `
export async function drive(): Promise<bigint> {
  await using nic = await Device.open('0000:03:00.0', { bind: true });
  const regs: Registers = nic.bar(0).map({ offset: 0, size: 4096, writable: true });
  regs.write32(0, regs.read32(0) | 1);
  const wide: bigint = regs.read64(8);
  nic.enableBusMaster();
  const ring = nic.dma.alloc(4096, { addressBits: 32, hugepages: '2M', align: 4096 });
  const shared = nic.dma.map(new SharedArrayBuffer(4096), { iova: 'va' });
  ring.u32[0] = ring.iovaLo;
  const [rx] = nic.msix.enable({ start: 0, count: 1, counts: false });
  if (rx === undefined) throw new Error('no vector');
  rx.on('interrupt', count => count.toFixed());
  for await (const count of rx.interrupts({ signal: AbortSignal.timeout(1) })) count.toFixed();
  const counted: number = await rx.wait({ timeoutMs: 10 });
  nic.on('release-request', () => undefined).once('error', (error: VfioError) => error.likelyCause);
  const device: PciDevice = findDevice(nic.address);
  const range: IovaRange | undefined = nic.container?.iommuInfo().iovaRanges[0];
  const report: DoctorReport = doctor();
  using doorbell = nic.bar(0).ioeventfd(0, 32, 5);
  doorbell.trigger();
  const token: Shared<IrqVector> = rx.share();
  adopt(token).unref();
  adopt(ring.share()).u32[0] = adopt(nic.bar(0).map().share()).read32(0);
  return wide + ring.iova + shared.iova + BigInt(counted + device.vendorId) + (range?.start ?? 0n) + BigInt(report.ok);
}

export function mistakes(nic: Device): void {
  // @ts-expect-error a misspelt option
  void Device.open('03:00.0', { binds: true });
  // @ts-expect-error no such width
  nic.bar(0).ioeventfd(0, 24, 5);
  // @ts-expect-error 64 bits are a bigint
  nic.bar(0).write64(0, 5);
  // @ts-expect-error memory that could be transferred away
  nic.dma.map(new ArrayBuffer(4096));
  // @ts-expect-error it is read-only
  nic.info.reset = false;
  // @ts-expect-error a device is opened where it is used
  adopt(nic);
  // @ts-expect-error a token of a mapping is no vector
  const vector: IrqVector = adopt(nic.bar(0).map().share());
  void vector;
  // @ts-expect-error for the library alone
  nic.adopt(nic);
}
`;
const imported = 'adopt, Device, doctor, findDevice';
const types = 'Registers, PciDevice, IovaRange, DoctorReport, VfioError, IrqVector, Shared';

describe('the declarations', function () {
  this.timeout(60_000);
  let packed: Packed;

  before(() => {
    packed = new Packed();
    const write = (file: string, text: string): void =>
      writeFileSync(path.join(packed.directory, file), text);
    const imports = `import { ${imported}, type ${types.replaceAll(', ', ', type ')} } from 'vfio';`;
    write('common.cts', `${imports}${program}`);
    write('module.mts', `${imports}${program}`);
    write(
      'default.mts',
      `import vfio from 'vfio';\nexport const device: typeof vfio.Device = vfio.Device;\n`,
    );
    write(
      'assigned.cts',
      `import vfio = require('vfio');\nexport const device: vfio.Device | undefined = undefined;\n`,
    );
  });
  after(() => packed[Symbol.dispose]());

  it('compile with both kinds of modules, strictly, themselves included', () => {
    const compilerOptions = {
      target: 'es2022',
      lib: ['es2023', 'esnext.disposable'],
      module: 'nodenext',
      types: ['node'],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      noEmit: true,
    };
    const files = ['common.cts', 'module.mts', 'default.mts', 'assigned.cts'];
    writeFileSync(path.join(packed.directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
    const compiler = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const { status, stdout } = spawnSync(process.execPath, [compiler, '-p', packed.directory], {
      encoding: 'utf8',
    });
    assert.deepEqual([stdout, status], ['', 0]);
  });
});
