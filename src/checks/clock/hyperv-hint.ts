import { withDeadline } from '../../deadline.ts';
import type { ClockHost, HypervClock } from '../../host/clock/types.ts';
import { sourceSeconds } from './sources.ts';

/** Microsoft's recommendation: https://learn.microsoft.com/azure/virtual-machines/linux/time-sync */
const hint =
  '; chrony does not use the clock that Hyper-V offers: add the line ' +
  '`refclock PHC /dev/ptp_hyperv poll 3 dpoll -2 offset 0 stratum 2` to its configuration, then ' +
  '`sudo systemctl restart chronyd`';

/** The end of a remedy where Hyper-V offers its clock and chrony does not use it; otherwise empty. */
export async function hypervHint(host: Pick<ClockHost, 'hypervClock'>, signal: AbortSignal): Promise<string> {
  try {
    const clock = await withDeadline(sourceSeconds, signal, (inTime) => host.hypervClock(inTime));
    return clock && !clock.chronyLines.some((line) => uses(line, clock)) ? hint : '';
  } catch {
    // Only a hint: the verdict does not depend on it.
    return '';
  }
}

/** chrony.conf(5): `refclock PHC device[:options]`. udev makes the link /dev/ptp_hyperv. */
function uses(line: string, { device }: HypervClock): boolean {
  const [directive = '', driver = '', parameter = ''] = line.trim().split(/\s+/);
  const path = parameter.split(':')[0];
  return (
    directive.toLowerCase() === 'refclock' &&
    driver.toLowerCase() === 'phc' &&
    (path === '/dev/ptp_hyperv' || path === device)
  );
}
