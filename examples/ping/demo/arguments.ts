/** The demo's command line. */
import { parseAddress } from 'vfio';
import { parseIpv4 } from '../ipv4.js';

export const USAGE = `usage: demo.js PCI-ADDRESS [--peer [INTERFACE]] [--ip A.B.C.D] [--force]

Drives the Intel 82574L at PCI-ADDRESS from this process and answers ping on it.

  --peer [INTERFACE]  the network interface of this machine that is wired to that NIC; it gets an address for the time
                      of the demo and pings. Without a name: the interface of the only other 82574L.
                      Without --peer: ping from the machine at the other end of the cable, and end it with Ctrl-C.
  --ip A.B.C.D        the address to answer for, in a network of 256 addresses of its own
  --force             also when the NIC is in use by this machine
`;

export interface DemoOptions {
  readonly address: string;
  /** Who pings: nobody on this machine, an interface to be found, or the named one. */
  readonly peer: 'none' | 'find' | { readonly name: string };
  readonly ip: Uint8Array | undefined;
  readonly force: boolean;
}

/** The command line does not make sense. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** Throws a {@link UsageError} that names what is wrong. `'help'`: somebody asked for it. */
export function parseArguments(argv: readonly string[]): DemoOptions | 'help' {
  let address: string | undefined;
  let peer: DemoOptions['peer'] = 'none';
  let ip: Uint8Array | undefined;
  let force = false;
  const seen = new Set<string>();

  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? '';
    // `--name=value` and `--name value` mean the same.
    const [name, attached] = word.startsWith('--') ? split(word) : [word];
    const following = attached ?? valueAfter(argv, i);
    if (name.startsWith('-')) {
      if (seen.has(name)) throw new UsageError(`${name} is given twice.`);
      seen.add(name);
    }
    switch (name) {
      case '-h':
      case '--help':
        return 'help';
      case '--force':
        if (attached !== undefined) throw new UsageError('--force takes no value.');
        force = true;
        break;
      case '--peer':
        // A PCI address after --peer is the device, not an interface: `--peer 0000:01:00.0` finds the peer.
        if (following === undefined || (attached === undefined && isAddress(following))) peer = 'find';
        else {
          peer = { name: checkInterfaceName(following) };
          if (attached === undefined) i++;
        }
        break;
      case '--ip':
        if (following === undefined)
          throw new UsageError('--ip needs an address, for example --ip 10.77.0.2.');
        ip = checkIp(following);
        if (attached === undefined) i++;
        break;
      default:
        if (name.startsWith('-')) throw new UsageError(`There is no option ${name}.`);
        if (address !== undefined)
          throw new UsageError(`One PCI address is enough: ${address} and ${word} are given.`);
        address = checkAddress(word);
    }
  }
  if (address === undefined)
    throw new UsageError('The PCI address of the NIC is missing, for example 0000:03:00.0.');
  return { address, peer, ip, force };
}

function split(word: string): [string, string?] {
  const at = word.indexOf('=');
  return at < 0 ? [word] : [word.slice(0, at), word.slice(at + 1)];
}

function valueAfter(argv: readonly string[], index: number): string | undefined {
  const value = argv[index + 1];
  return value === undefined || value.startsWith('-') ? undefined : value;
}

function isAddress(word: string): boolean {
  return /^([\da-f]{4}:)?[\da-f]{2}:[\da-f]{2}\.[0-7]$/i.test(word);
}

function checkAddress(word: string): string {
  try {
    return parseAddress(word);
  } catch (error) {
    throw new UsageError(`'${word}' is not a PCI address such as 0000:03:00.0.`, { cause: error });
  }
}

/** The kernel's own rule for names of interfaces. */
function checkInterfaceName(name: string): string {
  if (name.length === 0 || name.length > 15 || /[\s/:]/.test(name) || name === '.' || name === '..') {
    throw new UsageError(`'${name}' cannot be the name of a network interface.`);
  }
  return name;
}

function checkIp(text: string): Uint8Array {
  try {
    const ip = parseIpv4(text);
    if (ip[3] === 0 || ip[3] === 255)
      throw new TypeError(`${text} is the network's own or its broadcast address.`);
    return ip;
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}
