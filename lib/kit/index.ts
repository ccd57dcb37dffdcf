/**
 * `vfio/kit`: what drivers of network cards, and programs that use them, are made of.
 *
 * Memory: an {@link Arena} that devices and program share, a {@link BufferPool} in it, a {@link Burst} to name frames by.
 * Rings: {@link RxRing}, {@link TxRing}, {@link TxSender}, {@link Forwarder}. Registers: {@link defineRegisters}, {@link Doorbell},
 * {@link Counters}. Several threads: arenas, parts of a pool, and rings are shared and adopted, and frames go from thread to thread
 * by a {@link Lane}. Applications see a {@link Nic}, and work in an {@link RxLoop} or {@link busyPoll}.
 */
export { Arena } from './arena';
export type { SharedArena } from './arena';
export { BufferPool } from './buffer-pool';
export type { PoolOptions, SharedPool } from './buffer-pool';
export { Burst } from './burst';
export { advancedRx, advancedTx } from './ring-format';
export type { RxFormat, TxFormat } from './ring-format';
export type { RingOptions } from './ring';
export { RxRing } from './rx-ring';
export type { RxRingOptions, SharedRxRing } from './rx-ring';
export { TxRing } from './tx-ring';
export type { SharedTxRing, TxRingOptions } from './tx-ring';
export { TxSender } from './tx-sender';
export type { TxSenderOptions } from './tx-sender';
export { allocLane } from './lane';
export type { Lane } from './lane';
export { LaneReceiver, withLanes } from './lane-receiver';
export { LaneSender } from './lane-sender';
export { Forwarder } from './forwarder';
export type { FrameEdit } from './frame-edit';
export { Doorbell } from './doorbell';
export type { Bell } from './doorbell';
export { bit, bits, defineRegisters } from './register-map';
export type {
  AccessKind,
  Field,
  Fields,
  RegisterBlock,
  RegisterMap,
  RegisterOf,
  RegisterSpec,
} from './register-map';
export {
  ClearOnReadRegister,
  ClearOnWriteRegister,
  ReadOnlyRegister,
  ReadWriteRegister,
  RegisterArray,
  WriteOnlyRegister,
} from './registers';
export type { FieldValues } from './registers';
export { Counters } from './counters';
export type { CounterSource } from './counters';
export { RxChecksum } from './checksums';
export type { ChecksumOffload, FrameSender, TxChecksums } from './checksums';
export type { LinkState, Nic, NicStats, RxSource } from './nic';
export { StopFlag } from './loops/stop-flag';
export { busyPoll } from './loops/busy-poll';
export type { BusyPollResult } from './loops/busy-poll';
export { RxLoop } from './loops/rx-loop';
export type { RxLoopOptions } from './loops/rx-loop';
