import * as z from 'zod';
import type { Need } from '../../host.ts';
import { absolutePath } from '../params/absolute-path.ts';
import { probeTarget } from '../params/probe-target.ts';

/** The endpoints that every IoT Edge device has, by their names in a policy. */
export const ownEndpoints = { edgehub: 'edgeHub', iothub: 'the IoT Hub' } as const;
export type OwnEndpoint = keyof typeof ownEndpoints;

export const isOwnEndpoint = (text: string): text is OwnEndpoint => Object.hasOwn(ownEndpoints, text);

const pathOrPattern = absolutePath.refine((path) => !path.includes('**'), {
  error: '"**" is not supported: write one "*" for each folder level',
});

const endpoint = z.string().superRefine((text, context) => {
  if (isOwnEndpoint(text)) return;
  if (!/^tls:/i.test(text)) context.addIssue('must be edgehub, iothub or tls://host:port');
  else for (const { message } of probeTarget.safeParse(text).error?.issues ?? []) context.addIssue(message);
});

/** Where to find certificates: the parameters that both certificate checks share. */
export const certificatePlaces = (defaultEndpoints: readonly OwnEndpoint[]) => ({
  files: z
    .array(pathOrPattern)
    .max(32)
    .default(['/var/lib/aziot/certd/certs/*'])
    .describe('Paths or globs of PEM or DER files. A path without a wildcard must exist.'),
  endpoints: z
    .array(endpoint)
    .max(32)
    .default([...defaultEndpoints])
    .describe('Endpoints whose presented chain is checked: edgehub, iothub, tls://host:port.'),
});

export interface CertificatePlaces {
  readonly files: readonly string[];
  readonly endpoints: readonly string[];
}

/** Each path, or for a pattern the folder above its first wildcard; and TLS to each endpoint. */
export const needsOf = ({ files, endpoints }: CertificatePlaces): readonly Need[] => [
  ...files.map((path) => ({ kind: 'path', path: beforeWildcard(path) }) as const),
  ...endpoints.map(
    (each) =>
      ({ kind: 'network', what: isOwnEndpoint(each) ? `TLS to ${ownEndpoints[each]}` : each }) as const,
  ),
];

const wildcard = /[*?[{]/;

/** Whether a path has a wildcard, which may match nothing. */
export const isPattern = (path: string): boolean => wildcard.test(path);

/** A path itself; for a pattern, the folder above its first wildcard. */
function beforeWildcard(path: string): string {
  const segments = path.split('/');
  const first = segments.findIndex(isPattern);
  return first < 0 ? path : segments.slice(0, first).join('/') || '/';
}
