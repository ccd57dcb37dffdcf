/** What a register access costs, mapped and by system call; compare bench/c/registers.c. */
import { Device } from '../../lib/device.js';
import type { Registers } from '../../lib/registers.js';
import { programArguments } from './arguments.js';
import { Reg } from './nic.js';
import { now, reportMedian } from './report.js';

const BATCH = 1000;
const SAMPLES = 60;
const WARM_UP_NS = 4e8;

/** One loop for each figure: a call through a shared one would not be what a driver's own code gets. */
function load(registers: Registers): number {
  let sum = 0;
  for (let i = 0; i < BATCH; i++) sum = (sum + registers.read32(Reg.STATUS)) >>> 0;
  return sum;
}

function store(registers: Registers): number {
  for (let i = 0; i < BATCH; i++) registers.write32(Reg.MTA, i);
  return 0;
}

function loadByCall(registers: Registers): number {
  let sum = 0;
  for (let i = 0; i < BATCH; i++) sum = (sum + registers.read32(Reg.STATUS)) >>> 0;
  return sum;
}

function storeByCall(registers: Registers): number {
  for (let i = 0; i < BATCH; i++) registers.write32(Reg.MTA, i);
  return 0;
}

function measure(figure: string, batch: (registers: Registers) => number, registers: Registers): void {
  const samples = new Float64Array(SAMPLES);
  const warm = now() + WARM_UP_NS;
  while (now() < warm) batch(registers);
  for (let i = 0; i < SAMPLES; i++) {
    const start = now();
    batch(registers);
    samples[i] = (now() - start) / BATCH;
  }
  reportMedian(figure, samples, BATCH);
}

const [address] = programArguments('ADDRESS');
using device = Device.openSync(address);
const bar0 = device.bar(0);
const mapping = bar0.map();
measure('read32', load, mapping);
measure('write32', store, mapping);
measure('pread', loadByCall, bar0);
measure('pwrite', storeByCall, bar0);
