import type { Reading, Verdict } from '../../check.ts';
import type { Certificate } from '../../host/certificates/types.ts';
import { shellQuote } from '../../shell-quote.ts';
import { isQuickstartCa } from './known-authorities.ts';
import type { Origin } from './subjects.ts';

interface Limits {
  readonly now: Date;
  readonly warnDays: number;
  readonly failDays: number;
  readonly renewAtFraction: number;
}

interface Place {
  readonly target: string;
  readonly origin: Origin;
}

type GaugeName = 'certificate_not_after_timestamp_seconds' | 'certificate_not_before_timestamp_seconds';
type Reason = 'expired' | 'not_yet_valid' | 'expires_soon' | 'renewal_overdue';

interface Judged {
  readonly certificate: Certificate;
  /** Higher is worse; 0 is good. */
  readonly rank: number;
  readonly wrong?: { readonly status: 'warn' | 'fail'; readonly reason: Reason };
  /** What follows the certificate's name in the message. */
  readonly clause: string;
}

const dayMs = 86_400_000;

/** The verdict over a file or a chain: that of its worst certificate. */
export function judgeCertificates(
  certificates: readonly Certificate[],
  { target, origin }: Place,
  limits: Limits,
): Verdict<Reason, GaugeName> {
  const [worst, ...others] = certificates
    .map((certificate) => judge(certificate, origin, limits))
    .sort((a, b) => b.rank - a.rank || +a.certificate.notAfter - +b.certificate.notAfter);
  if (!worst) throw new Error(`No certificate was given for ${target}`);
  const message = `${worst.certificate.subject} ${worst.clause}${company(others, origin)}`;
  const readings = readingsOf(certificates);
  if (!worst.wrong) return { status: 'pass', message, readings };
  const also = others.flatMap(({ wrong, certificate, clause }) =>
    wrong
      ? {
          ...wrong,
          message: `${certificate.subject} ${clause}`,
          remedy: remedy(wrong.reason, target, origin),
        }
      : [],
  );
  return { ...worst.wrong, message, remedy: remedy(worst.wrong.reason, target, origin), also, readings };
}

function judge(certificate: Certificate, origin: Origin, limits: Limits): Judged {
  const { notBefore, notAfter } = certificate;
  const { now, warnDays, failDays, renewAtFraction } = limits;
  const daysLeft = (+notAfter - +now) / dayMs;
  const livedFraction = (+now - +notBefore) / (+notAfter - +notBefore);
  const left = `expires in ${days(daysLeft)} (${isoDay(notAfter)})`;

  if (now > notAfter) {
    const clause = `expired ${days(-daysLeft)} ago (${isoDay(notAfter)})`;
    return { certificate, rank: 5, wrong: { status: 'fail', reason: 'expired' }, clause };
  }
  if (now < notBefore) {
    const clause = `is not valid until ${notBefore.toISOString()}, in ${days((+notBefore - +now) / dayMs)}: the clock may be behind`;
    return { certificate, rank: 4, wrong: { status: 'fail', reason: 'not_yet_valid' }, clause };
  }
  if (daysLeft < failDays) {
    return { certificate, rank: 3, wrong: { status: 'fail', reason: 'expires_soon' }, clause: left };
  }
  if (daysLeft < warnDays) {
    return { certificate, rank: 2, wrong: { status: 'warn', reason: 'expires_soon' }, clause: left };
  }
  if (livedFraction > renewAtFraction && isRenewedHere(certificate, origin)) {
    const clause = `has used ${percent(livedFraction)} of its lifetime and should have been renewed at ${percent(renewAtFraction)}; it ${left}`;
    return { certificate, rank: 1, wrong: { status: 'warn', reason: 'renewal_overdue' }, clause };
  }
  return { certificate, rank: 0, clause: left };
}

/**
 * IoT Edge renews the certificates it issues and the CA it creates for itself. Other servers and roots are renewed by
 * their owners, on their own schedule.
 */
const isRenewedHere = (certificate: Certificate, origin: Origin): boolean =>
  (origin === 'file' || origin === 'edgehub') &&
  (!certificate.selfSigned || !certificate.isCa || isQuickstartCa(certificate));

function company(others: readonly Judged[], origin: Origin): string {
  if (others.length === 0) return '';
  const count = others.length === 1 ? '1 other certificate' : `${others.length} other certificates`;
  const wrong = others.filter(({ rank }) => rank > 0).length;
  const where = origin === 'file' ? 'in the file' : 'in the chain';
  return `; ${count} ${where}${wrong > 0 ? `, ${wrong} of them with problems` : ''}`;
}

function remedy(reason: Reason, target: string, origin: Origin): string {
  if (reason === 'not_yet_valid') {
    return 'Compare the clock with a time server: `sudo chronyc tracking`, or `timedatectl`. If the clock is right, have the certificate reissued.';
  }
  if (origin === 'edgehub') {
    return 'Restart edgeHub, which then requests a new server certificate: `sudo iotedge restart edgeHub`';
  }
  if (origin === 'server') {
    return `Renew the server's certificate, and check what it presents: \`openssl s_client -connect ${shellQuote(target.replace('tls://', ''))} -showcerts\``;
  }
  if (origin === 'iothub') {
    const address = target.replace('tls://', '');
    return `Compare the clock with a time server (\`sudo chronyc tracking\`), then find out who presents this certificate, IoT Hub or a proxy on the way: \`openssl s_client -connect ${shellQuote(address)} -showcerts\``;
  }
  return 'Renew it: `sudo iotedge system restart`. For a certificate of your own, replace the file, then `sudo iotedge config apply`.';
}

/** Of a bundle of hundreds, the metrics have only those that expire first. */
const maxReadings = 20;

/** One sample for each subject; of two certificates with the same subject, the first to expire. */
function readingsOf(certificates: readonly Certificate[]): Reading<GaugeName>[] {
  const latestFirst = [...certificates].sort((a, b) => +b.notAfter - +a.notAfter);
  const bySubject = new Map<string, Certificate>();
  for (const certificate of latestFirst) {
    bySubject.delete(certificate.subject);
    bySubject.set(certificate.subject, certificate);
  }
  return [...bySubject.values()].slice(-maxReadings).flatMap(({ subject, notBefore, notAfter }) => [
    {
      gauge: 'certificate_not_after_timestamp_seconds',
      labels: { subject },
      value: Math.floor(+notAfter / 1000),
    },
    {
      gauge: 'certificate_not_before_timestamp_seconds',
      labels: { subject },
      value: Math.floor(+notBefore / 1000),
    },
  ]);
}

/** Whole days, below ten with one decimal; rounded down, so that the time left is never overstated. */
function days(count: number): string {
  const shown = count < 10 ? (Math.floor(count * 10) / 10).toFixed(1) : Math.floor(count).toFixed(0);
  return `${shown} days`;
}

const percent = (fraction: number): string => `${Math.floor(fraction * 100)} %`;

const isoDay = (date: Date): string => date.toISOString().slice(0, 10);
