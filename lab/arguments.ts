import { defaultProfile } from './profiles.js';

/** What a command line of the lab asks for. */
export interface LabArguments {
  profile: string;
  /** One of the profile's kernels; its own unless given. */
  kernel?: string;
  verbose: boolean;
  action: 'run' | 'shell' | 'list' | 'help';
  /** The command, exactly as given. */
  argv: string[];
}

export const usage = `usage: npm run lab -- [OPTIONS] [COMMAND [ARGUMENT...]]

Runs COMMAND inside the lab's virtual machine, in the same directory, with the host's files visible (read-only),
and exits with its exit code; 125 means that the lab itself failed. Without COMMAND it starts a shell.

  --profile NAME  the machine to boot (default: ${defaultProfile})
  --kernel NAME   the kernel to boot it with (default: the profile's own)
  --list          show the machines there are, and their kernels
  --verbose       show the guest kernel's console on standard error
  --help          show this text

Environment: VFIO_LAB_ACCEL=kvm|tcg chooses the accelerator, VFIO_LAB_CACHE=DIR where kernels are kept.
`;

/** Options end at the first word that is none, or at "--": what follows belongs to the command. */
export function parseArguments(words: readonly string[]): LabArguments {
  const result: LabArguments = { profile: defaultProfile, verbose: false, action: 'run', argv: [] };
  const rest = [...words];
  for (let word = rest[0]; word?.startsWith('-'); word = rest[0]) {
    rest.shift();
    if (word === '--') break;
    else if (word === '--verbose') result.verbose = true;
    else if (word === '--list') result.action = 'list';
    else if (word === '--help') result.action = 'help';
    else if (word === '--profile') result.profile = valueOf(word, rest.shift());
    else if (word.startsWith('--profile='))
      result.profile = valueOf('--profile', word.slice('--profile='.length));
    else if (word === '--kernel') result.kernel = valueOf(word, rest.shift());
    else if (word.startsWith('--kernel='))
      result.kernel = valueOf('--kernel', word.slice('--kernel='.length));
    else throw new RangeError(`unknown option ${word}; a command that starts with '-' goes after '--'`);
  }
  result.argv = rest;
  if (result.action === 'run' && rest.length === 0) result.action = 'shell';
  return result;
}

function valueOf(option: string, value: string | undefined): string {
  if (!value) throw new RangeError(`${option} needs a value`);
  return value;
}
