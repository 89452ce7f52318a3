import { CannotTell, type HostFor, type Subject } from '../../check.ts';
import { isTimeout, withDeadline } from '../../deadline.ts';
import { formatHost, parseEndpoint } from '../../endpoint.ts';
import type { Names, Need } from '../../host.ts';
import { registriesOf } from './registries.ts';

/** The placeholders of a policy. */
const placeholders = ['iothub', 'gateway', 'device', 'dps', 'registries'] as const;

/** A text with sample names for its placeholders, to validate the rest of it. */
export const withSampleNames = (text: string): string => text.replaceAll(/\{\w*\}/g, 'name.test');

/** A clause that names an unknown placeholder; undefined where there is none. */
export function placeholderProblem(text: string): string | undefined {
  const unknown = text.match(/\{[^{}]*\}/g)?.find((written) => !known.includes(written));
  return unknown && `has the unknown placeholder ${unknown} (known: ${known.join(', ')})`;
}

const known: readonly string[] = placeholders.map((each) => `{${each}}`);

/** A text of a policy with its placeholders expanded, or why they cannot be. */
export interface Named extends Subject {
  readonly cannotTell?: CannotTell;
}

/** Texts of a policy expanded for this device, each once. `{registries}` becomes one text for each registry. */
export async function expandAll(
  texts: readonly string[],
  host: HostFor<'modules'>,
  signal: AbortSignal,
): Promise<readonly Named[]> {
  const named = texts.map((text) => orReason(text, () => [expandNames(text, host.names)]));
  if (!texts.some(mentionsRegistries)) return distinct(named.flat());
  const registries = await knownRegistries(host, signal);
  return distinct(
    named.flat().flatMap((each) => {
      if (each.cannotTell || !mentionsRegistries(each.target)) return [each];
      return orReason(each.target, () => expandRegistries(each.target, registries));
    }),
  );
}

const distinct = (all: readonly Named[]): readonly Named[] => [
  ...new Map(all.map((each) => [each.target, each])).values(),
];

function orReason(target: string, expand: () => readonly string[]): readonly Named[] {
  try {
    return expand().map((each) => ({ target: each }));
  } catch (error) {
    if (error instanceof CannotTell) return [{ target, cannotTell: error }];
    throw error;
  }
}

/**
 * Puts this device's names into a policy's text. They are hosts alone: a port that edgeAgent sets with the gateway is
 * dropped. `{registries}` stays as it is.
 *
 * @throws CannotTell `not_applicable` for an unknown name, as every name is in standalone mode.
 */
export const expandNames = (text: string, names: Names): string =>
  text.replaceAll(/\{(\w+)\}/g, (written, word: string) => {
    if (word === 'registries') return written;
    const name = nameOf(word, names);
    if (name) return asHost(name);
    throw new CannotTell('not_applicable', `"${text}" cannot be expanded: ${written} is unknown here`, {
      remedy:
        'Deploy the agent as an IoT Edge module, which gets its names from edgeAgent, or write the name itself into the policy.',
    });
  });

function nameOf(word: string, names: Names): string | undefined {
  if (word === 'iothub' || word === 'gateway' || word === 'device') return names[word];
  if (word !== 'dps') return undefined;
  // The national clouds have their own, with the top-level domain of the hub's name.
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

/** For a socket on this machine; all other targets wait for it. */
const listSeconds = 2;

async function knownRegistries(
  host: HostFor<'modules'>,
  signal: AbortSignal,
): Promise<readonly string[] | CannotTell> {
  try {
    const { modules } = await withDeadline(listSeconds, signal, (deadline) => host.modules(deadline));
    return registriesOf(modules);
  } catch (error) {
    signal.throwIfAborted();
    if (isTimeout(error))
      return new CannotTell(
        'timed_out',
        `The modules of this device were not listed within ${listSeconds} s`,
      );
    if (error instanceof CannotTell) return error;
    throw error;
  }
}

/** Where the text names no port, the registry's own is used. */
function expandRegistries(text: string, registries: readonly string[] | CannotTell): string[] {
  if (registries instanceof CannotTell) throw registries;
  return registries.map((registry) =>
    text
      .replace(/^(https:\/\/)\{registries\}(?!:)/i, `$1${registry}`)
      .replaceAll('{registries}', asHost(registry)),
  );
}
