import path from 'node:path';
import type { SanitizedAddon } from './addon.js';
import { variables } from './variables.js';

/** Options of every sanitizer. Deaths by signal stay what they are: tests look for them. */
export const deaths = 'handle_segv=1:handle_abort=0:handle_sigbus=0:allow_user_segv_handler=1';

/** What has Node load that addon, and the sanitizer's library before everything else. */
export function loading({ file, runtime }: SanitizedAddon, directory: string): NodeJS.ProcessEnv {
  return {
    LD_PRELOAD: runtime,
    NODE_OPTIONS: `--require=${path.join(__dirname, 'preload.js')}`,
    [variables.addon]: file,
    [variables.directory]: directory,
  };
}

/** The option that has a sanitizer write its reports into the directory of a run. */
export function reportsTo(directory: string): string {
  return `log_path=${path.join(directory, variables.report)}`;
}
