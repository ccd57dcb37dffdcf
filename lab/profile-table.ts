import type { KernelKind, Profile } from './profiles.js';

/** What machines there are and which kernels each runs on, for people; a star marks the kernel it has by itself. */
export function profileTable(profiles: readonly Profile[]): string {
  const kernels = [...new Set(profiles.flatMap(profile => profile.kernels))];
  const rows = profiles.map(profile => [
    profile.name,
    ...kernels.map(kernel => mark(profile, kernel)),
    profile.purpose,
  ]);
  const table = [['profile', ...kernels, 'what it is for'], ...rows];
  const widths = table[0]?.map((_, column) => Math.max(...table.map(row => row[column]?.length ?? 0))) ?? [];
  const lines = table.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n\n* the kernel it has by itself   + one to choose with --kernel\n`;
}

function mark(profile: Profile, kernel: KernelKind): string {
  if (profile.kernel === kernel) return '*';
  return profile.kernels.includes(kernel) ? '+' : '';
}
