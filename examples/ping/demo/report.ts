/** What the demo found out, whether that is what it had to be, and how to say so. */
import { type LinkState } from 'vfio/kit';
import { type PingStatistics } from './ping.js';

export interface Report {
  readonly address: string;
  readonly mac: string;
  readonly ip: string;
  readonly link: LinkState;
  readonly kernel: string;
  /** None on a machine without an IOMMU. */
  readonly group: number | undefined;
  /** By size of the payload; none when the other end of the cable pinged. */
  readonly pings: readonly { readonly payload: number; readonly statistics: PingStatistics }[];
  readonly echoReplies: number;
  readonly arpReplies: number;
  readonly framesReceived: number;
  readonly framesSent: number;
  /** As counted by the eventfd, and by the kernel's own books. */
  readonly interrupts: number;
  readonly kernelInterrupts: number;
  readonly wakeups: number;
  /** The driver before and after. */
  readonly driverBefore: string | undefined;
  readonly driverAfter: string | undefined;
}

export function describe(report: Report): string {
  const { link } = report;
  const lines = [
    [
      'NIC',
      `${report.address}, ${report.mac}, ${link.speed} Mb/s ${link.fullDuplex ? 'full' : 'half'} duplex`,
    ],
    ...report.pings.map(({ payload, statistics }) => [`ping -s ${payload}`, describePing(statistics)]),
    ['answered', `${report.echoReplies} pings, ${report.arpReplies} ARP requests, for ${report.ip}`],
    ['packets', `${report.framesReceived} received, ${report.framesSent} sent`],
    [
      'interrupts',
      `${report.interrupts} by MSI-X, waking the process ${report.wakeups} times (the kernel counted ` +
        `${report.kernelInterrupts}); nothing polled`,
    ],
    [
      'kernel',
      `Linux ${report.kernel}, ${report.group === undefined ? 'no IOMMU' : `IOMMU group ${report.group}`}`,
    ],
    ['driver', `${report.driverAfter ?? 'none'} again`],
  ];
  return lines.map(([name = '', text = '']) => `  ${name.padEnd(13)}${text}`).join('\n');
}

export function describePing({ transmitted, received, loss, rtt }: PingStatistics): string {
  const times = rtt === undefined ? '' : `, round trip ${rtt.min}/${rtt.avg}/${rtt.max} ms (min/avg/max)`;
  return `${received} of ${transmitted} answered, ${loss} % loss${times}`;
}

/** Everything that is not as it has to be, one sentence each; empty when the demo succeeded. */
export function shortcomings(report: Report): string[] {
  const found: string[] = [];
  let asked = 0;
  for (const { payload, statistics } of report.pings) {
    const { transmitted, received, duplicates, corrupted } = statistics;
    asked += transmitted;
    if (transmitted === 0 || received !== transmitted) {
      found.push(
        `Of ${transmitted} pings with ${payload} bytes, ${transmitted - received} stayed unanswered.`,
      );
    }
    if (duplicates > 0) found.push(`${duplicates} pings with ${payload} bytes were answered more than once.`);
    if (corrupted > 0) found.push(`${corrupted} answers to pings with ${payload} bytes had wrong contents.`);
  }
  if (report.echoReplies < Math.max(asked, 1)) {
    found.push(`The driver answered ${report.echoReplies} pings, of at least ${Math.max(asked, 1)}.`);
  }
  // The pings come one at a time, so each needs an interrupt of its own; some may still arrive together under load.
  if (report.interrupts === 0 || report.interrupts < asked / 2) {
    found.push(
      `${report.interrupts} interrupts are too few for ${asked} pings: something else drove the driver.`,
    );
  }
  if (report.kernelInterrupts < report.wakeups) {
    found.push(
      `The kernel counted ${report.kernelInterrupts} interrupts, the driver was woken ${report.wakeups} times.`,
    );
  }
  if (report.driverAfter !== report.driverBefore) {
    found.push(
      `${report.address} was bound to ${report.driverBefore ?? 'no driver'} and is now bound to ` +
        `${report.driverAfter ?? 'none'}.`,
    );
  }
  return found;
}
