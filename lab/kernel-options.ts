/** One line of a fragment (lab/kernel-config): an option of the kernel's configuration and what it shall be. */
export interface KernelOption {
  /** As it stands in a .config: `CONFIG_X=y` or `# CONFIG_X is not set`. */
  line: string;
  /** The first kernel that has the option, where not all do: `6.19`. */
  since?: string;
}

/**
 * Reads a fragment. It is a piece of a .config with one addition: the comment `# since 6.19:` leaves the next option
 * out of older kernels, which do not have it. Every other comment is for people.
 */
export function parseFragment(text: string, name: string): KernelOption[] {
  const options: KernelOption[] = [];
  let since: string | undefined;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    const condition = /^# since (\d+\.\d+):$/.exec(line)?.[1];
    if (condition !== undefined) since = condition;
    else if (/^CONFIG_\w+=|^# CONFIG_\w+ is not set$/.test(line)) {
      options.push(since === undefined ? { line } : { line, since });
      since = undefined;
    } else if (line !== '' && !line.startsWith('#')) {
      throw new RangeError(`${name}:${index + 1}: '${line}' is neither an option nor a comment`);
    }
  }
  return options;
}

/** Whether a kernel version (`6.12.117`, `7.2.12-lab`) is at least `minimum` (`6.19`). */
export function isAtLeast(version: string, minimum: string): boolean {
  const [major = 0, minor = 0] = version.split(/[.-]/).map(Number);
  const [minimumMajor = 0, minimumMinor = 0] = minimum.split('.').map(Number);
  return major !== minimumMajor ? major > minimumMajor : minor >= minimumMinor;
}

/** Those of the options that a kernel has, as lines of a .config. */
export function optionsFor(options: readonly KernelOption[], version: string): string[] {
  return options
    .filter(({ since }) => since === undefined || isAtLeast(version, since))
    .map(({ line }) => line);
}

/**
 * What was asked for and is not in the finished .config: an option whose dependencies are missing, or that is gone,
 * is dropped by kconfig without a word. An option that shall be off may be absent.
 */
export function unmetOptions(asked: readonly string[], config: string): string[] {
  const lines = new Set(config.split('\n'));
  return asked.filter(line => {
    const off = /^# (CONFIG_\w+) is not set$/.exec(line)?.[1];
    return off === undefined ? !lines.has(line) : config.includes(`\n${off}=`);
  });
}
