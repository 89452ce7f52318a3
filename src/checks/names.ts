import { CannotTell, type Names } from '../check.ts';

/** What `{…}` may hold in a policy. */
export const placeholders = ['iothub', 'gateway', 'device'] as const satisfies readonly (keyof Names)[];

/**
 * Puts this device's own names into a policy's text. They stand for a host alone: a port that edgeAgent gives with
 * the gateway is left out.
 *
 * @throws CannotTell `not_applicable` for a name that is not known, as all are in standalone mode.
 */
export const expandNames = (text: string, names: Names): string =>
  text.replaceAll(/\{(\w+)\}/g, (written, word: string) => {
    const placeholder = placeholders.find((each) => each === word);
    const name = placeholder && names[placeholder];
    if (name) return asHost(name);
    throw new CannotTell('not_applicable', `"${text}" stands for nothing here: ${written} is not known`, {
      remedy: 'Run as an IoT Edge module, which is told its names, or write the name itself into the policy.',
    });
  });

function asHost(name: string): string {
  const [, bracketed, plain = name] = /^(?:\[(.*)\]|([^:]*))(?::\d+)?$/.exec(name) ?? [];
  const host = bracketed ?? plain;
  return host.includes(':') ? `[${host}]` : host;
}
