/** The kernel's network interfaces: which PCI device each belongs to, and whether one is in use. */
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import { listDevices } from 'vfio';
import { E1000e } from '../../e1000e/e1000e.js';
import { runOrThrow } from './command.js';

const NET = '/sys/class/net';

export function interfaceNames(): string[] {
  return readdirSync(NET).sort();
}

/**
 * The interfaces that a PCI device has: one for a NIC with a kernel driver, none otherwise. Those of virtio devices are below the
 * `virtioN` that the PCI device is for the kernel.
 */
export function interfacesOf(address: string): string[] {
  const device = `/sys/bus/pci/devices/${address}`;
  if (!existsSync(device)) return [];
  const parents = ['.', ...readdirSync(device).filter(name => /^virtio\d+$/.test(name))];
  return parents.flatMap(parent => {
    const net = path.join(device, parent, 'net');
    return existsSync(net) ? readdirSync(net) : [];
  });
}

/** The interface of the only other 82574L of this machine. */
export function findPeer(ourAddress: string): string {
  const others = listDevices().filter(
    ({ address, vendorId, deviceId }) => address !== ourAddress && E1000e.supports(vendorId, deviceId),
  );
  const names = others.flatMap(({ address }) => interfacesOf(address));
  const [name, ...more] = names;
  if (name === undefined) {
    const why =
      others.length === 0 ? 'there is no other 82574L' : 'the other 82574L is not with its kernel driver';
    throw new Error(`No peer was found: ${why}. Name the interface at the other end: --peer INTERFACE.`);
  }
  if (more.length > 0)
    throw new Error(`Which one is the peer? Name it: --peer ${names.join(' or --peer ')}.`);
  return name;
}

/** Checks the name of an interface given by the user. */
export function checkPeer(name: string, ourAddress: string): string {
  if (!existsSync(path.join(NET, name))) {
    throw new Error(`There is no network interface '${name}'; there are: ${interfaceNames().join(', ')}.`);
  }
  if (interfacesOf(ourAddress).includes(name)) {
    throw new Error(
      `${name} is the interface of ${ourAddress} itself: its peer is the one at the other end of the cable.`,
    );
  }
  return name;
}

/** The parts of `ip -json address` that matter here. */
interface AddressEntry {
  flags: string[];
  master?: string;
  addr_info: { local: string; scope: string }[];
}

/** Refuses to take a NIC away from a machine that talks to the world through it. */
export async function checkUnused(address: string): Promise<void> {
  for (const name of interfacesOf(address)) {
    const [entry] = JSON.parse(
      await runOrThrow('ip', ['-json', 'address', 'show', 'dev', name]),
    ) as AddressEntry[];
    if (!entry?.flags.includes('UP')) continue;
    const used = entry.master ?? entry.addr_info.find(({ scope }) => scope === 'global')?.local;
    if (used === undefined) continue;
    throw new Error(
      `${name} (${address}) is in use: it is up, with ${used}. Taking it away could cut this machine off; set it down ` +
        `first (ip link set ${name} down), or insist with --force.`,
    );
  }
}

/**
 * Whether frames can be sent on the interface. Its carrier alone does not say so: the kernel drops what is sent until it
 * has taken notice of the carrier, which the operational state tells.
 */
export function isOperational(name: string): boolean {
  return readFileSync(path.join(NET, name, 'operstate'), 'utf8').trim() === 'up';
}

/** The PCI device behind an interface, for messages; `undefined` for a virtual one. */
export function deviceOf(name: string): string | undefined {
  const link = path.join(NET, name, 'device');
  if (!existsSync(link)) return undefined;
  const device = realpathSync(link);
  return path.basename(/virtio\d+$/.test(device) ? path.dirname(device) : device);
}

/** A network 10.x.0.0/24 that this machine has no address in. */
export function freeNetwork(): Uint8Array {
  const taken = Object.values(networkInterfaces())
    .flatMap(list => list ?? [])
    .map(({ address }) => address);
  for (let x = 77; x < 256; x++) {
    if (!taken.some(address => address.startsWith(`10.${x}.0.`))) return Uint8Array.of(10, x, 0, 0);
  }
  throw new Error(
    'This machine has an address in each network from 10.77.0.0 to 10.255.0.0: choose one with --ip.',
  );
}
