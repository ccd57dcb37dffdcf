/**
 * Runs QEMU's edu device through everything it can do and checks the results.
 *
 *     node dist/examples/edu/main.js 0000:04:00.0
 *
 * The device is taken from the driver it has, if any, and given back at the end.
 */
import { EduDriver } from './edu.js';

/** Half of the device's buffer: QEMU 7.2 ends itself when a transfer reaches the buffer's last byte. */
const BYTES = 2048;

async function main(address: string | undefined): Promise<void> {
  if (address === undefined) throw new Error('usage: main.js PCI-ADDRESS (for example 0000:04:00.0)');
  await using edu = await EduDriver.open(address, { bind: true });

  const { major, minor } = edu.version();
  if (!edu.isAlive()) throw new Error('The device does not invert the number it is given.');
  console.log(`edu device, version ${major}.${minor}, alive`);

  const n = 10;
  const result = await edu.factorial(n);
  console.log(`${n}! = ${result}, announced by an interrupt`);
  if (result !== 3628800) throw new Error(`${n}! is 3628800, the device says ${result}.`);

  const sent = edu.allocate(BYTES);
  const received = edu.allocate(BYTES);
  sent.u8.forEach((_, i, bytes) => (bytes[i] = i * 7 + 3));
  await edu.copyToDevice(sent, BYTES);
  await edu.copyFromDevice(received, BYTES);
  if (Buffer.compare(sent.u8.subarray(0, BYTES), received.u8.subarray(0, BYTES)) !== 0) {
    throw new Error('What came back by DMA is not what was sent.');
  }
  console.log(`${BYTES} bytes to the device and back by DMA, contents equal`);
}

main(process.argv[2]).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
