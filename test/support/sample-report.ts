import type { Status } from '../../src/check.ts';
import { checks } from '../../src/checks/index.ts';
import { defaultPolicy, type PolicyInForce } from '../../src/policy/in-force.ts';
import type { ConfirmedFinding } from '../../src/run/confirm.ts';
import { type CheckReport, type Report, summarise, worst } from '../../src/run/report.ts';

const since = '2026-11-21T18:00:00.000Z';

/** A passing finding, with some fields changed. */
export const finding = (change: Partial<ConfirmedFinding> = {}): ConfirmedFinding => ({
  target: '/var/lib',
  status: 'pass',
  message: 'Used 41.5 % of 64.0 GiB at /var/lib (37.4 GiB free)',
  since,
  ...change,
});

/** A finding with this status, and with the reason and remedy that it requires. */
export const findingThatIs = (status: Status, target: string): ConfirmedFinding =>
  finding({
    target,
    status,
    ...(status === 'pass' ? {} : { reason: 'space_low' }),
    ...(status === 'warn' || status === 'fail' ? { remedy: 'Make room' } : {}),
  });

/** The report of a check with these findings. */
export const checkReport = (title: string, findings: readonly ConfirmedFinding[]): CheckReport => ({
  title,
  status: worst(findings.map(({ status }) => status)),
  since,
  lastRun: '2026-11-21T20:29:45.250Z',
  durationSeconds: 0.125,
  findings,
});

/** A report of these checks. */
export const reportOf = (byId: Readonly<Record<string, CheckReport>>): Report => ({
  generatedAt: '2026-11-21T20:30:00.000Z',
  agent: { version: '1.0.0', startedAt: '2026-11-19T20:30:00.000Z', mode: 'edge', hub: 'connected' },
  policy: { source: 'twin', version: 7, accepted: true, problems: [] },
  summary: summarise(byId),
  checks: byId,
});

/** A constant report with every status, all gauges of four checks, and numbers of all magnitudes. */
export const sampleReport: Report = reportOf({
  clockDrift: checkReport('The clock agrees with its time sources', [
    finding({
      target: 'clock',
      message: 'The clock is off by at most 0.012 s, according to time.windows.com and chrony',
      readings: [
        { gauge: 'clock_offset_seconds', labels: { source: 'time.windows.com' }, value: -0.000_003_25 },
        { gauge: 'clock_offset_error_seconds', labels: { source: 'time.windows.com' }, value: 0.012 },
        { gauge: 'clock_offset_seconds', labels: { source: 'chrony' }, value: 1e-9 },
        { gauge: 'clock_offset_error_seconds', labels: { source: 'chrony' }, value: 0.001 },
      ],
    }),
  ]),
  certificateExpiry: checkReport('No certificate is expired, about to expire or overdue for renewal', [
    finding({
      target: '/var/lib/aziot/certd/certs/deviceca.cer',
      status: 'warn',
      reason: 'expires_soon',
      message: 'CN=aziot-edge CA expires in 12 days (2026-12-03)',
      remedy: 'Have it renewed: `sudo iotedge system restart`.',
      readings: [
        {
          gauge: 'certificate_not_after_timestamp_seconds',
          labels: { subject: 'CN=aziot-edge CA' },
          value: 1_796_256_000,
        },
        {
          gauge: 'certificate_not_before_timestamp_seconds',
          labels: { subject: 'CN=aziot-edge CA' },
          value: 1_788_480_000,
        },
      ],
    }),
    finding({
      target: '/etc/aziot/est/*.pem',
      status: 'skip',
      reason: 'no_access',
      message: '/etc/aziot/est is not mounted',
      remedy: 'Mount it: add { "Type": "bind", "Source": "/etc/aziot/est" } to "Mounts".',
    }),
  ]),
  diskSpace: checkReport('Every filesystem is writable, large enough and has space left', [
    finding({
      readings: [
        { gauge: 'filesystem_size_bytes', value: 68_719_476_736 },
        { gauge: 'filesystem_available_bytes', value: 40_158_167_040 },
        { gauge: 'filesystem_files', value: 4_194_304 },
        { gauge: 'filesystem_files_free', value: 3_999_999 },
        { gauge: 'filesystem_readonly', value: 0 },
      ],
    }),
    finding({
      target: '/data',
      status: 'unknown',
      reason: 'timed_out',
      message: 'No answer within 20 s',
    }),
  ]),
  outboundReachability: checkReport('Every endpoint this device needs can be reached', [
    finding({
      target: 'tls://example.azure-devices.net:8883',
      message: 'Reached in 0.09 s',
      readings: [
        { gauge: 'outbound_success', value: 1 },
        { gauge: 'outbound_duration_seconds', labels: { phase: 'resolve' }, value: 0.004 },
        { gauge: 'outbound_duration_seconds', labels: { phase: 'connect' }, value: 0.021 },
        { gauge: 'outbound_duration_seconds', labels: { phase: 'tls' }, value: 0.065 },
      ],
    }),
    finding({
      target: 'https://mcr.microsoft.com/v2/',
      status: 'fail',
      reason: 'refused',
      message: 'mcr.microsoft.com:443 refused the connection (ECONNREFUSED), after 0.02 s',
      remedy: 'See that a service listens there: `curl -v telnet://mcr.microsoft.com:443`.',
      readings: [
        { gauge: 'outbound_success', value: 0 },
        { gauge: 'outbound_duration_seconds', labels: { phase: 'resolve' }, value: 0.02 },
      ],
    }),
  ]),
});

/** The built-in policy as if it came from the twin, with some fields changed. */
export const inForce = (change: Partial<PolicyInForce> = {}): PolicyInForce => ({
  ...defaultPolicy(checks, new Date('2026-11-21T12:00:00Z')),
  source: 'twin',
  version: 7,
  ...change,
});
