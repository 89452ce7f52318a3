import { CannotTell, type HostFor, type Subject } from '../../check.ts';
import { isTimeout, withDeadline } from '../../deadline.ts';
import { formatHost, parseEndpoint } from '../../endpoint.ts';
import type { Names, Need } from '../../host.ts';
import { registriesOf } from './registries.ts';

/** What `{…}` may hold in a policy. */
const placeholders = ['iothub', 'gateway', 'device', 'dps', 'registries'] as const;

/** A text with stand-ins for its placeholders, to see whether the rest of it is right. */
export const withSampleNames = (text: string): string => text.replaceAll(/\{\w*\}/g, 'name.test');

/** Says in a clause which placeholder of a text is not known. */
export function placeholderProblem(text: string): string | undefined {
  const unknown = text.match(/\{[^}]*\}/g)?.find((written) => !known.includes(written));
  return unknown && `has the unknown placeholder ${unknown}: ${known.join(', ')} are known`;
}

const known: readonly string[] = placeholders.map((each) => `{${each}}`);

/** A text of a policy with names in place of its placeholders, or why it stands for nothing here. */
export interface Named extends Subject {
  readonly cannotTell?: CannotTell;
}

/** What texts of a policy stand for on this device, each once. `{registries}` makes one of every registry. */
export async function expandAll(
  texts: readonly string[],
  host: HostFor<'modules'>,
  signal: AbortSignal,
): Promise<readonly Named[]> {
  const named = texts.map((text) => toldOr(text, () => [expandNames(text, host.names)]));
  if (!texts.some(mentionsRegistries)) return distinct(named.flat());
  const registries = await knownRegistries(host, signal);
  return distinct(
    named.flat().flatMap((each) => {
      if (each.cannotTell || !mentionsRegistries(each.target)) return [each];
      return toldOr(each.target, () => expandRegistries(each.target, registries));
    }),
  );
}

const distinct = (all: readonly Named[]): readonly Named[] => [
  ...new Map(all.map((each) => [each.target, each])).values(),
];

function toldOr(target: string, expand: () => readonly string[]): readonly Named[] {
  try {
    return expand().map((each) => ({ target: each }));
  } catch (error) {
    if (error instanceof CannotTell) return [{ target, cannotTell: error }];
    throw error;
  }
}

/**
 * Puts this device's own names into a policy's text. They stand for a host alone: a port that edgeAgent gives with
 * the gateway is left out. `{registries}` stays as it is.
 *
 * @throws CannotTell `not_applicable` for a name that is not known, as all are in standalone mode.
 */
export const expandNames = (text: string, names: Names): string =>
  text.replaceAll(/\{(\w+)\}/g, (written, word: string) => {
    if (word === 'registries') return written;
    const name = nameOf(word, names);
    if (name) return asHost(name);
    throw new CannotTell('not_applicable', `"${text}" stands for nothing here: ${written} is not known`, {
      remedy: 'Run as an IoT Edge module, which is told its names, or write the name itself into the policy.',
    });
  });

function nameOf(word: string, names: Names): string | undefined {
  if (word === 'iothub' || word === 'gateway' || word === 'device') return names[word];
  if (word !== 'dps') return undefined;
  // The national clouds have their own: as in the hub's name, the top-level domain tells.
  const [, domain = 'net'] = /\.azure-devices\.(us|cn)$/i.exec(names.iothub ?? '') ?? [];
  return `global.azure-devices-provisioning.${domain}`;
}

/** The host alone, as it is written before a port. */
function asHost(name: string): string {
  const endpoint = parseEndpoint(name, 443);
  return formatHost(typeof endpoint === 'string' ? name : endpoint.host);
}

/** What a list of texts needs: the network to each of them, and the module list for `{registries}`. */
export const needsOfTargets = (texts: readonly string[]): readonly Need[] => [
  ...texts.map((what) => ({ kind: 'network', what }) as const),
  ...(texts.some(mentionsRegistries) ? [{ kind: 'socket', socket: 'workload' } as const] : []),
];

const mentionsRegistries = (text: string): boolean => text.includes('{registries}');

/** For a socket on this machine. All other targets wait for it. */
const listSeconds = 2;

async function knownRegistries(
  host: HostFor<'modules'>,
  signal: AbortSignal,
): Promise<readonly string[] | CannotTell> {
  try {
    return registriesOf(await withDeadline(listSeconds, signal, (deadline) => host.modules(deadline)));
  } catch (error) {
    signal.throwIfAborted();
    if (isTimeout(error))
      return new CannotTell('timed_out', `The modules of this device were not listed in ${listSeconds} s`);
    if (error instanceof CannotTell) return error;
    throw error;
  }
}

/** A registry's own port goes with it where the text names none. */
function expandRegistries(text: string, registries: readonly string[] | CannotTell): string[] {
  if (registries instanceof CannotTell) throw registries;
  return registries.map((registry) =>
    text
      .replace(/^(https:\/\/)\{registries\}(?!:)/i, `$1${registry}`)
      .replaceAll('{registries}', asHost(registry)),
  );
}
