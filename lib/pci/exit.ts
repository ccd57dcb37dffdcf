/**
 * What happens to devices when the process ends without having closed them: they are closed in order and given back to
 * the driver they had. The kernel would close them by itself, but in no particular order, and it cannot rebind.
 */
import { isMainThread } from 'node:worker_threads';
import { native } from '../native';

interface Closable {
  readonly address: string;
  endSync(): void;
}
interface Restorable {
  restoreSync(): void;
}

const devices = new Set<Closable>();
const bindings = new Set<Restorable>();
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Whether this environment has the device at that address open. */
export function isOpen(address: string): boolean {
  return [...devices].some(device => device.address === address);
}

/** What this environment has open, whoever still holds it. */
export function openDevices(): readonly Closable[] {
  return [...devices];
}

/** Remembers a device to close when the process ends. */
export function closeOnExit(device: Closable): void {
  if (devices.size + bindings.size === 0) process.on('exit', endAll);
  devices.add(device);
}
closeOnExit.done = (device: Closable): void => {
  if (devices.delete(device)) stopWhenIdle();
};

/**
 * Remembers a binding to undo when the process ends, after the devices are closed. Only now are signals listened to: a
 * program that binds nothing keeps the default, which ends even a busy loop at once and leaves nothing behind.
 */
export function restoreOnExit(binding: Restorable): void {
  if (devices.size + bindings.size === 0) process.on('exit', endAll);
  // Signals reach only the main thread; a worker's bindings are undone by the native layer when the worker ends. First in
  // line, because a handler of the program's from `process.once` is gone, and not counted, by the time it has run.
  if (bindings.size === 0 && isMainThread)
    for (const signal of signals) process.prependListener(signal, onSignal);
  bindings.add(binding);
}
restoreOnExit.done = (binding: Restorable): void => {
  if (!bindings.delete(binding)) return;
  if (bindings.size === 0) for (const signal of signals) process.off(signal, onSignal);
  stopWhenIdle();
};

function stopWhenIdle(): void {
  if (devices.size + bindings.size === 0) process.off('exit', endAll);
}

function onSignal(signal: NodeJS.Signals): void {
  // A program with a handler of its own decides when it ends, and closes or exits by itself.
  if (process.listenerCount(signal) > 1) return;
  endAll();
  process.off(signal, onSignal);
  process.kill(process.pid, signal);
}

/** Every one is tried; what fails is said, since nobody is left to catch it. */
function endAll(): void {
  endEach(devices, device => device.endSync());
  // What is being opened, or was opened and not heard of yet, nobody else would close; giving it back would wait for ever.
  if (bindings.size > 0) native().closeAll();
  endEach(bindings, binding => binding.restoreSync());
}

function endEach<T>(set: Set<T>, end: (one: T) => void): void {
  for (const one of [...set].reverse()) {
    try {
      end(one);
    } catch (error) {
      process.stderr.write(`vfio: while exiting: ${String(error)}\n`);
    }
  }
}
