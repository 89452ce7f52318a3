import { CannotTell, type HostFor, statuses, type Verdict } from '../../check.ts';
import type { Certificate } from '../../host/certificates/types.ts';
import type { CertificateSubject } from './subjects.ts';

/** Judges the certificates of one file. */
type Judge<Reason extends string, GaugeName extends string> = (
  certificates: readonly Certificate[],
  path: string,
) => Verdict<Reason, GaugeName>;

/**
 * Judges a file. One that the policy names must exist and hold certificates; one that a pattern matched may have been removed
 * since, or be a private key, unless the pattern matches nothing else.
 */
export async function examineFile<Reason extends string, GaugeName extends string>(
  subject: FileSubject,
  host: HostFor<'certificates'>,
  signal: AbortSignal,
  judge: Judge<Reason, GaugeName>,
): Promise<Verdict<Reason, GaugeName>> {
  const { target } = subject;
  let certificates: readonly Certificate[];
  try {
    certificates = await host.certificates(target, signal);
  } catch (error) {
    if (!(error instanceof CannotTell)) throw error;
    if (isKey(error)) throw await asUnreadable(error, subject, host, signal);
    if (!subject.named || error.reason !== 'not_found') throw error;
    return {
      status: 'fail',
      reason: 'not_found',
      message: `The certificate file ${target} does not exist`,
      remedy: `Put a certificate at ${target} (certd writes its own after \`sudo iotedge config apply\`), or remove the path from "files".`,
    };
  }
  return judge(certificates, target);
}

type FileSubject = Extract<CertificateSubject, { kind: 'file' }>;

/** The host reports a private key as a file that certificates do not apply to. */
const isKey = ({ reason }: CannotTell): boolean => reason === 'not_applicable';

const nameCertificates = 'Name the files with the certificates in "files", not those with the keys.';

/** A private key where certificates are expected is not passed over in silence. */
async function asUnreadable(
  error: CannotTell,
  subject: FileSubject,
  host: HostFor<'certificates'>,
  signal: AbortSignal,
): Promise<CannotTell> {
  const options = { cause: error, remedy: nameCertificates };
  if (subject.named) return new CannotTell('unreadable', error.message, options);
  if (!subject.pattern) return error;
  const { text, paths } = subject.pattern;
  for (const path of paths.slice(1)) {
    const other = await host.certificates(path, signal).catch((reason: unknown) => reason);
    signal.throwIfAborted();
    if (!(other instanceof CannotTell && isKey(other))) return error;
  }
  return new CannotTell('unreadable', onlyKeys(text, paths.length), options);
}

const onlyKeys = (pattern: string, count: number): string =>
  `${pattern} matches only private keys (${count}), which hold no certificates`;

interface Judged<Reason extends string, GaugeName extends string> {
  readonly path: string;
  readonly verdict: Verdict<Reason, GaugeName>;
  /** When the first of the file's certificates expires, in milliseconds since 1970. */
  readonly firstExpiry: number;
}

/** Below the number of listeners at which Node.js warns. More would only wait for the same disk. */
const filesAtOnce = 8;

/**
 * One verdict over many files: the verdict of the worst. Certificates are kept for one file at a time, so ten thousand
 * files need no more memory than one.
 *
 * @throws CannotTell when some files could not be read and nothing is wrong with the others.
 */
export async function examineFiles<Reason extends string, GaugeName extends string>(
  { target, paths }: { readonly target: string; readonly paths: readonly string[] },
  host: HostFor<'certificates'>,
  signal: AbortSignal,
  judge: Judge<Reason, GaugeName>,
): Promise<Verdict<Reason, GaugeName>> {
  let worst: Judged<Reason, GaugeName> | undefined;
  let wrong = 0;
  let unread = 0;
  let why: CannotTell | undefined;
  let keys = 0;
  const queue = paths.values();
  const work = async () => {
    for (const path of queue) {
      try {
        const certificates = await host.certificates(path, signal);
        const judged = { path, verdict: judge(certificates, path), firstExpiry: firstExpiryOf(certificates) };
        if (judged.verdict.status !== 'pass') wrong += 1;
        if (!worst || isWorse(judged, worst)) worst = judged;
      } catch (error) {
        if (!(error instanceof CannotTell)) throw error;
        if (isKey(error)) {
          keys += 1;
          continue;
        }
        unread += 1;
        // A broken file says more than one without access.
        if (!why || why.reason === 'no_access') why = error;
      }
    }
  };
  await Promise.all(Array.from({ length: filesAtOnce }, work));

  const unreadable = unread > 0 ? `${unread} of ${paths.length - keys} files could not be read` : '';
  if (why && (!worst || wrong === 0)) {
    throw new CannotTell(why.reason, `${unreadable}, for example: ${why.message}`, {
      cause: why,
      ...(why.remedy === undefined ? {} : { remedy: why.remedy }),
    });
  }
  if (!worst) throw new CannotTell('unreadable', onlyKeys(target, keys), { remedy: nameCertificates });
  const { path, verdict } = worst;
  if (verdict.status === 'pass') {
    return { ...verdict, message: `All ${paths.length - keys} files are valid; ${path}: ${verdict.message}` };
  }
  const also = unreadable ? `; ${unreadable}` : '';
  const have = wrong === 1 ? 'has a problem,' : 'have problems, the worst is';
  const message = `${wrong} of ${paths.length - keys} files ${have} ${path}: ${verdict.message}${also}`;
  return { ...verdict, message };
}

/** Files of equal status are ordered by expiry, then by name, so that every run names the same one. */
function isWorse(one: Judged<string, string>, other: Judged<string, string>): boolean {
  const keys = ({ path, verdict, firstExpiry }: Judged<string, string>) =>
    [-statuses.indexOf(verdict.status), firstExpiry, path] as const;
  const [status, expiry, path] = keys(one);
  const [otherStatus, otherExpiry, otherPath] = keys(other);
  if (status !== otherStatus) return status < otherStatus;
  return expiry === otherExpiry ? path < otherPath : expiry < otherExpiry;
}

const firstExpiryOf = (certificates: readonly Certificate[]): number =>
  Math.min(...certificates.map(({ notAfter }) => notAfter.getTime()));
