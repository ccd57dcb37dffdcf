/** Runs a step of work; how it tells of it is the implementation's business. */
export interface Progress {
  <T>(label: string, work: () => Promise<T>): Promise<T>;
  /** Hears, within a step that takes minutes, how far it is. */
  note?(text: string): void;
}

/** For callers that want to hear nothing. */
export const silent: Progress = (_label, work) => work();

/** One line for each step that takes longer than `thresholdMs`: its name as soon as that is clear, its time at the end. */
export function progressOn(stream: NodeJS.WritableStream, thresholdMs = 2000): Progress {
  /** The step that the last line is about and that is not at its end. */
  let current: string | undefined;
  const show = (label: string): void => {
    stream.write(`${current === undefined ? '' : '\n'}lab: ${label} ...`);
    current = label;
  };
  const finish = (label: string, time: string): void => {
    stream.write(current === label ? ` ${time}\n` : `lab: ${label} took ${time}\n`);
    current = undefined;
  };
  const note = (text: string): void => {
    stream.write(`${current === undefined ? '' : '\n'}lab: ${text}\n`);
    current = undefined;
  };
  const progress = async <T>(label: string, work: () => Promise<T>): Promise<T> => {
    const start = performance.now();
    const shown = { yet: false };
    const timer = setTimeout(() => {
      shown.yet = true;
      show(label);
    }, thresholdMs);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
      if (shown.yet) finish(label, `${((performance.now() - start) / 1000).toFixed(1)} s`);
    }
  };
  return Object.assign(progress, { note });
}
