import { statuses } from '../check.ts';
import type { PolicyInForce } from '../policy/in-force.ts';
import type { ConfirmedFinding } from '../run/confirm.ts';
import { type CheckReport, type Report, worstFirst } from '../run/report.ts';

/** The module's reported properties. Targets are values, never keys: edgeHub rejects keys with '.', '$', '#' or blanks. */
export interface Reported {
  readonly agent: { readonly version: string; readonly startedAt: string; readonly mode: string };
  /** Plug and Play acknowledgement of the desired property `policy`. */
  readonly policy: {
    /** The document of the policy in force, without defaults. */
    readonly value: unknown;
    readonly ac: 200 | 203 | 400;
    readonly av: number;
    readonly ad: string;
  };
  /** Absent until every enabled check has run, as are `checks` and `heartbeat`. */
  readonly summary?: Report['summary'] & { readonly findingsLeftOut: number };
  readonly checks?: Readonly<Record<string, ReportedCheck>>;
  readonly heartbeat?: string;
}

/** All keys of {@link Reported}. Others in a twin were reported by another version. */
export const reportedKeys: readonly (keyof Reported)[] = [
  'agent',
  'policy',
  'summary',
  'checks',
  'heartbeat',
];

interface ReportedCheck {
  readonly status: string;
  readonly since: string;
  readonly findings: readonly ReportedFinding[];
}

type ReportedFinding = Omit<ConfirmedFinding, 'readings'>;

// Once the whole document exceeds 32 KB, the hub rejects every patch; this stays well below.
const maxBytes = 16_384;
const maxPolicyBytes = 8192;
const maxStringBytes = 4096;
// In UTF-16 units: at most 2700 bytes in UTF-8, and at most 5400 in JSON, which can escape a unit with six bytes.
const maxTextLength = 900;

/**
 * Renders a report as reported properties. Findings that pass or are skipped are left out; of the others, the worst
 * `maxFindings` are included, or fewer if they do not fit. A check whose findings have not changed keeps the texts of
 * `previous`, so that a drifting number alone causes no patch; with `previous` undefined all texts are current.
 */
export function reportedProperties(
  report: Report,
  inForce: PolicyInForce,
  complete: boolean,
  heartbeat: string,
  previous: Reported | undefined,
): Reported {
  const { version, startedAt, mode } = report.agent;
  const head = { agent: { version, startedAt, mode }, policy: acknowledgement(inForce) };
  if (!complete) return head;

  const all = worstFirst(
    Object.entries(report.checks).flatMap(([id, { findings }]) =>
      findings
        .filter(({ status }) => status !== 'pass' && status !== 'skip')
        .map((finding) => ({ id, status: finding.status, finding: shorten(finding) })),
    ),
  );
  const render = (count: number): Reported => ({
    ...head,
    summary: { ...report.summary, findingsLeftOut: all.length - count },
    checks: Object.fromEntries(
      Object.entries(report.checks).map(([id, check]) => {
        const included = all.slice(0, count).filter((each) => each.id === id);
        return [
          id,
          keepTexts(
            check,
            included.map(({ finding }) => finding),
            previous?.checks?.[id],
          ),
        ] as const;
      }),
    ),
    heartbeat,
  });
  let count = Math.min(all.length, inForce.policy.report.maxFindings);
  while (count > 0 && Buffer.byteLength(JSON.stringify(render(count))) > maxBytes) count -= 1;
  return render(count);
}

/** Whether a finding has a worse status than in the earlier properties, or is a new problem. */
export const worsened = (before: Reported | undefined, after: Reported): boolean =>
  Object.entries(after.checks ?? {}).some(([id, { findings }]) =>
    findings.some(({ target, status }) => {
      const earlier = before?.checks?.[id]?.findings.find((each) => each.target === target);
      return statuses.indexOf(status) > statuses.indexOf(earlier?.status ?? 'pass');
    }),
  );

function acknowledgement(inForce: PolicyInForce): Reported['policy'] {
  const { source, accepted, version, problems, warnings, document } = inForce;
  const fits = Buffer.byteLength(JSON.stringify(document)) <= maxPolicyBytes && !hasLongString(document);
  const value = fits ? document : {};
  const tooLong = fits ? '' : ' (too long to include here)';
  const notes = warnings.map((warning) => `. ${warning}`).join('');
  if (!accepted) {
    const refused = `Rejected, the previous policy stays in force: ${problems.join('; ')}`;
    return { value, ac: 400, av: version, ad: `${clip(refused, maxTextLength - notes.length)}${notes}` };
  }
  if (source === 'twin' || source === 'saved')
    return { value, ac: 200, av: version, ad: `In force${tooLong}${notes}` };
  const from = source === 'file' ? "the device's policy file" : 'the built-in defaults';
  return { value, ac: 203, av: 0, ad: `No desired policy, using ${from}${tooLong}${notes}` };
}

/** Only possible in a policy file: a policy from the twin has passed the hub's limits. */
const hasLongString = (value: unknown): boolean =>
  typeof value === 'string'
    ? Buffer.byteLength(value) > maxStringBytes
    : typeof value === 'object' && value !== null && Object.values(value).some(hasLongString);

const shorten = ({
  target,
  status,
  reason,
  message,
  remedy,
  controls,
  since,
}: ConfirmedFinding): ReportedFinding => ({
  target: clip(target),
  status,
  ...(reason === undefined ? {} : { reason }),
  message: clip(message),
  ...(remedy === undefined ? {} : { remedy: clip(remedy) }),
  ...(controls === undefined ? {} : { controls }),
  since,
});

function keepTexts(
  { status, since }: CheckReport,
  findings: readonly ReportedFinding[],
  before: ReportedCheck | undefined,
): ReportedCheck {
  const same = (a: ReportedFinding, b: ReportedFinding | undefined) =>
    a.target === b?.target && a.status === b.status && a.reason === b.reason && a.since === b.since;
  const unchanged =
    before?.findings.length === findings.length &&
    findings.every((finding, i) => same(finding, before.findings[i]));
  return { status, since, findings: unchanged ? before.findings : findings };
}

const clip = (text: string, length = maxTextLength): string =>
  text.length > length ? `${text.slice(0, length - 3).replace(highSurrogate, '')}...` : text;

// The first half of a surrogate pair, which is not valid text on its own.
const highSurrogate = /[\ud800-\udbff]$/;
