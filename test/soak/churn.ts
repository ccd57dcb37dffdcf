/** The edu device's part of a cycle: interrupts as fast as they are acknowledged, DMA both ways, until told to stop. */
import { Device } from '../../lib/index.js';
import { Edu } from '../../examples/edu/registers.js';
import { ADDRESS_BITS, EDU_BYTES, EduCard, fillPattern } from '../lab/support/edu.js';

export interface ChurnResult {
  interrupts: number;
  transfers: number;
  wrong: string[];
}

export async function churn(address: string, signal: AbortSignal): Promise<ChurnResult> {
  await using device = await Device.open(address);
  const card = new EduCard(device);
  const source = device.dma.alloc(EDU_BYTES, { addressBits: ADDRESS_BITS });
  const target = device.dma.alloc(EDU_BYTES, { addressBits: ADDRESS_BITS });
  const [vector] = device.msi.enable(1);
  device.enableBusMaster();
  const wrong: string[] = [];
  let raised = 0;
  let transfers = 0;
  const raise = (): void => {
    raised++;
    card.raise();
  };
  vector.on('interrupt', () => {
    card.registers.read32(Edu.INTERRUPT_STATUS);
    card.acknowledge();
    if (!signal.aborted) setImmediate(raise);
  });
  raise();
  while (!signal.aborted) {
    fillPattern(source.u8, transfers);
    await card.readFrom(source.iova);
    await card.writeTo(target.iova);
    if (Buffer.compare(source.u8.subarray(0, EDU_BYTES), target.u8.subarray(0, EDU_BYTES)) !== 0)
      wrong.push(`DMA transfer ${transfers} came back different`);
    transfers++;
  }
  // The last one may be on its way.
  for (let i = 0; i < 100 && vector.total < raised; i++)
    await new Promise(resolve => setTimeout(resolve, 20));
  if (vector.total !== raised) wrong.push(`${raised} interrupts were raised, ${vector.total} came`);
  return { interrupts: vector.total, transfers, wrong };
}
