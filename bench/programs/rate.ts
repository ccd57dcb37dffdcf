import { now, quantile, reportValue } from './report.js';

const second = 1e9;
/** Enough for V8 to have compiled everything for good. */
const WARM_UP = 2 * second;
const WINDOW = second;
const WINDOWS = 3;
/** Work between two looks at the clock. */
const POLLS = 256;

/** Does work without a pause and reports what one frame takes: the median over some windows of time. */
export function reportRate(work: () => number): void {
  runFor(work, WARM_UP);
  const perFrame = new Float64Array(WINDOWS);
  let all = 0;
  for (let i = 0; i < WINDOWS; i++) {
    const { frames, ns } = runFor(work, WINDOW);
    if (frames === 0) throw new Error('no frame went through');
    perFrame[i] = ns / frames;
    all += frames;
  }
  reportValue('frame', quantile(perFrame, 0.5), all);
}

function runFor(work: () => number, ns: number): { frames: number; ns: number } {
  const start = now();
  let frames = 0;
  for (;;) {
    for (let i = 0; i < POLLS; i++) frames += work();
    const time = now() - start;
    if (time >= ns) return { frames, ns: time };
  }
}
