/** Runs a step of work; how it tells of it is the implementation's business. */
export type Progress = <T>(label: string, work: () => Promise<T>) => Promise<T>;

/** For callers that want to hear nothing. */
export const silent: Progress = (_label, work) => work();

/** One line on standard error for each step that takes longer than `thresholdMs`: its name at once, its time at the end. */
export function progressOn(stream: NodeJS.WritableStream, thresholdMs = 2000): Progress {
  return async (label, work) => {
    const start = performance.now();
    const shown = { yet: false };
    const timer = setTimeout(() => {
      shown.yet = true;
      stream.write(`lab: ${label} ...`);
    }, thresholdMs);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
      if (shown.yet) stream.write(` ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
    }
  };
}
