import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { Device } from 'vfio';
import { devices } from '../../../lab/devices';
import { needs } from '../../support/needs';
import { bound } from '../support/bound';
import { ADDRESS_BITS, EduCard } from '../support/edu';
import { DEVICE_BUFFER, DmaCommand, Edu } from '../../../examples/edu/registers';
import { labSuite } from '../support/suite';
import { Command, readCommand, writeCommand } from '../support/sysfs';

labSuite('guide: bus mastering', () => {
  needs({ iommu: true, devices: [devices.edu] });
  bound(devices.edu);
  const mastering = (): boolean => (readCommand(devices.edu) & Command.BUS_MASTER) !== 0;

  it('is cleared by opening the device, whoever had set it', async () => {
    writeCommand(devices.edu, readCommand(devices.edu) | Command.BUS_MASTER | Command.MEMORY);
    assert.equal(mastering(), true);
    await using device = await Device.open(devices.edu);
    assert.equal(mastering(), false);
    assert.equal(device.config.busMaster, false);
    assert.equal(device.config.memoryDecoding, true, 'registers work at once');
  });

  it('comes back when the driver sets it, and is gone again after the close', async () => {
    const device = await Device.open(devices.edu);
    device.enableBusMaster();
    assert.equal(mastering(), true);
    await device.close();
    assert.equal(mastering(), false);
  });

  it('is needed for every byte: a transfer under way when it goes is lost, and does not come later', async () => {
    await using device = await Device.open(devices.edu);
    const edu = new EduCard(device);
    const memory = device.dma.alloc(4096, { addressBits: ADDRESS_BITS });
    device.enableBusMaster();
    memory.u8.fill(0x11);
    await edu.readFrom(memory.iova, 64);
    memory.u8.fill(0xee);
    // The device takes a tenth of a second for a transfer.
    edu.registers.write64(Edu.DMA_SOURCE, DEVICE_BUFFER);
    edu.registers.write64(Edu.DMA_DESTINATION, memory.iova);
    edu.registers.write64(Edu.DMA_COUNT, 64n);
    edu.registers.write32(Edu.DMA_COMMAND, DmaCommand.START | DmaCommand.TO_MEMORY);
    device.disableBusMaster();
    for (let i = 0; i < 500 && (edu.registers.read32(Edu.DMA_COMMAND) & DmaCommand.START) !== 0; i++)
      await pause(5);
    device.enableBusMaster();
    await pause(200);
    assert(memory.u8.every(byte => byte === 0xee));
    await edu.writeTo(memory.iova, 64);
    assert.equal(memory.u8[0], 0x11, 'what is started now arrives');
  });

  it('survives a reset of the device by its user', async () => {
    await using device = await Device.open(devices.edu);
    device.enableBusMaster();
    await device.reset();
    assert.equal(mastering(), true);
  });
});
