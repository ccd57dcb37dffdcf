import { type Benchmark, ourProgram } from '../benchmark.js';

/** What the garbage collector has to do with forwarding: nothing. */
export const allocations: Benchmark = {
  name: 'allocations',
  about: 'memory that ten million packets take',
  place: 'host',
  ours: ourProgram('allocations'),
  references: [],
  figures: [
    { name: 'bursts-bytes', label: 'by bursts: heap growth, per packet', unit: 'bytes', goal: '0' },
    { name: 'bursts-collections', label: 'by bursts: garbage collections', unit: 'times', goal: '0' },
    { name: 'pass-bytes', label: 'in one pass: heap growth, per packet', unit: 'bytes', goal: '0' },
    { name: 'pass-collections', label: 'in one pass: garbage collections', unit: 'times', goal: '0' },
  ],
};
