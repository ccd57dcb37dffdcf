/** What the guest's kernel says every 21 seconds of a processor whose timer does not fire any more. */
const complaint = /kthread timer wakeup didn't happen/g;

/** A guest that the host gives no time for a while says it, too, and goes on afterwards. */
const enough = 3;

/**
 * Whether a processor's timer has stopped for good: seldom, but seen with emulated processors, by themselves and under no load.
 * Whatever then waits for that processor waits for ever, and nothing about the command that runs is the reason.
 *
 * @param console all that the kernel said
 */
export function timerHasStopped(console: string): boolean {
  return [...console.matchAll(complaint)].length >= enough;
}
