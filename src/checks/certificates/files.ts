import { CannotTell, type HostFor, statuses, type Verdict } from '../../check.ts';
import type { Certificate } from '../../host/certificates/types.ts';

/** Judges the certificates of one file. */
type Judge<Reason extends string, GaugeName extends string> = (
  certificates: readonly Certificate[],
  path: string,
) => Verdict<Reason, GaugeName>;

/** Judges a file. One that the policy names must exist; one that a pattern matched may have been removed since. */
export async function examineFile<Reason extends string, GaugeName extends string>(
  { target, named }: { readonly target: string; readonly named: boolean },
  host: HostFor<'certificates'>,
  signal: AbortSignal,
  judge: Judge<Reason, GaugeName>,
): Promise<Verdict<Reason, GaugeName>> {
  try {
    return judge(await host.certificates(target, signal), target);
  } catch (error) {
    if (!named || !(error instanceof CannotTell) || error.reason !== 'not_found') throw error;
    return {
      status: 'fail',
      reason: 'not_found',
      message: `The certificate file ${target} does not exist`,
      remedy: `Put a certificate at ${target} (certd writes its own after \`sudo iotedge config apply\`), or remove the path from "files".`,
    };
  }
}

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
        unread += 1;
        // A broken file says more than one without access.
        if (!why || why.reason === 'no_access') why = error;
      }
    }
  };
  await Promise.all(Array.from({ length: filesAtOnce }, work));

  const unreadable = unread > 0 ? `${unread} of ${paths.length} files could not be read` : '';
  if (why && (!worst || wrong === 0)) {
    throw new CannotTell(why.reason, `${unreadable}, for example: ${why.message}`, {
      cause: why,
      ...(why.remedy === undefined ? {} : { remedy: why.remedy }),
    });
  }
  if (!worst) throw new Error(`No file was given for ${target}`);
  const { path, verdict } = worst;
  if (verdict.status === 'pass') {
    return { ...verdict, message: `All ${paths.length} files are valid; ${path}: ${verdict.message}` };
  }
  const also = unreadable ? `; ${unreadable}` : '';
  const message = `${wrong} of ${paths.length} files have problems, the worst is ${path}: ${verdict.message}${also}`;
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
