import { posix } from 'node:path';
import * as z from 'zod';
import { formatEndpoint, parseProxy } from '../../endpoint.ts';
import type { EdgeModule, ProxyVariables } from './types.ts';

const createOptionsLabel = 'net.azure-devices.edge.create-options';
const environmentLabel = 'net.azure-devices.edge.env';

const maxNoProxy = 200;
// A name is at most 253 long; anything else in the list could be a secret that got there by mistake.
const noProxyEntry = /^[A-Za-z0-9.*:/_[\]-]{1,253}$/;

const hostConfig = z.object({
  Binds: z.array(z.string()).nullish(),
  Mounts: z.array(z.object({ Type: z.string().nullish(), Target: z.string().nullish() })).nullish(),
});
const createOptions = z.object({ HostConfig: hostConfig.nullish() });
const environment = z.record(z.string(), z.unknown());

/**
 * What edgeAgent's labels say about itself: edged writes its createOptions and its environment there, secrets included
 * (`InjectEdgeAgentLabels` in edgeAgent's CombinedEdgeletConfigProvider.cs). Nothing else of them is kept. A part is
 * undefined where its labels are absent or malformed.
 */
export function readAgentLabels(
  labels: Readonly<Record<string, string>>,
): Pick<EdgeModule, 'storage' | 'proxy'> {
  const options = parse(createOptions, labels[createOptionsLabel]);
  const variables = parse(environment, labels[environmentLabel]);
  const effective = environmentLabel in labels ? variables : {};
  return {
    storage: options && effective ? storageOf(options, effective) : undefined,
    proxy: variables && proxyOf(variables),
  };
}

function parse<T>(shape: z.ZodType<T>, label: string | undefined): T | undefined {
  try {
    return label === undefined ? undefined : shape.safeParse(JSON.parse(label)).data;
  } catch {
    return undefined;
  }
}

/** edgeAgent keeps its state in the folder `edgeAgent` below `storageFolder`, and that in /tmp by default. */
function storageOf(
  { HostConfig }: z.output<typeof createOptions>,
  variables: Readonly<Record<string, unknown>>,
): EdgeModule['storage'] {
  // .NET ignores case in the names of its configuration.
  const [, entry] = Object.entries(variables).find(([name]) => name.toLowerCase() === 'storagefolder') ?? [];
  const parent = textOf(entry)?.trim() || '/tmp';
  const folder = posix.resolve('/', parent, 'edgeAgent');
  if (folder.length > 4096) return undefined;
  const bound = (HostConfig?.Binds ?? []).map((bind) => bind.split(':')[1]);
  const mounted = (HostConfig?.Mounts ?? [])
    .filter(({ Type }) => Type !== 'tmpfs')
    .map(({ Target }) => Target);
  const isMounted = [...bound, ...mounted].some((target) => target?.startsWith('/') && holds(target, folder));
  return { folder, isMounted };
}

function holds(target: string, folder: string): boolean {
  const path = posix.resolve(target);
  return path === '/' || `${folder}/`.startsWith(`${path}/`);
}

/** Undefined where the proxy is not one this agent understands. */
function proxyOf(variables: Readonly<Record<string, unknown>>): ProxyVariables | undefined {
  const https = firstOf(variables, 'https_proxy');
  const endpoint = https === undefined ? undefined : parseProxy(https);
  if (https !== undefined && endpoint === undefined) return undefined;
  const noProxy = (firstOf(variables, 'no_proxy') ?? '')
    .split(',', maxNoProxy)
    .map((entry) => entry.trim())
    .filter((entry) => noProxyEntry.test(entry));
  return { https: endpoint && formatEndpoint(endpoint), noProxy };
}

/** The lower-case name comes first, as in .NET. */
const firstOf = (variables: Readonly<Record<string, unknown>>, name: string): string | undefined =>
  [name, name.toUpperCase()].map((each) => textOf(variables[each])?.trim()).find((value) => value);

/** A variable is `{ "value": "…" }` in a deployment, and a plain text in config.toml. */
function textOf(entry: unknown): string | undefined {
  const value = typeof entry === 'object' && entry !== null && 'value' in entry ? entry.value : entry;
  return typeof value === 'string' ? value : undefined;
}
