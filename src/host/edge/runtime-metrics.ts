import type { Socket } from 'node:net';
import { CannotTell } from '../../check.ts';
import { isTimeout, never, orAbort, withDeadline } from '../../deadline.ts';
import { endpointOf } from '../../endpoint.ts';
import { codeOf } from '../../errors.ts';
import type { Host } from '../../host.ts';
import { maxPageBytes, parseExposition } from './exposition.ts';
import { requestPage } from './page-request.ts';
import type { RuntimeComponent, RuntimeMetrics } from './types.ts';

/** The addresses of the metrics pages, `http://host[:port][/path]`; undefined where the agent is no module. */
export type MetricsPages = Readonly<Record<RuntimeComponent, string | undefined>>;

export interface RuntimeMetricsOptions {
  readonly pages: MetricsPages;
  /** The addresses of a name. Rejects with a `CannotTell` whose cause has the resolver's code. */
  resolve(name: string, signal: AbortSignal): Promise<readonly string[]>;
  /** A connection to one of them. Rejects with a `CannotTell`. */
  dial(addresses: readonly string[], port: number, signal: AbortSignal): Promise<{ readonly socket: Socket }>;
  now(): Date;
  /** Milliseconds on a clock that never jumps. */
  readonly monotonic?: () => number;
  /** Of one request. */
  readonly seconds?: number;
}

/** How long a page is shared: by the checks of one run, but not by the run that confirms it. */
const freshMs = 2000;

const prefixes: Readonly<Record<RuntimeComponent, string>> = { edgeAgent: 'edgeAgent_', edgeHub: 'edgehub_' };

/** Reads metrics pages. Checks that ask for the same one at the same time share one request; a failure is not kept. */
export function createRuntimeMetrics(options: RuntimeMetricsOptions): Host['runtimeMetrics'] {
  const { monotonic = () => performance.now(), seconds = 5 } = options;
  const kept = new Map<RuntimeComponent, { readonly at: number; readonly page: Promise<RuntimeMetrics> }>();

  return (component, signal) => {
    const last = kept.get(component);
    if (last && monotonic() - last.at < freshMs) return orAbort(last.page, signal);
    const page = withDeadline(seconds, never, (deadline) => read(component, options, deadline)).catch(
      (error: unknown) => {
        if (kept.get(component)?.page === page) kept.delete(component);
        throw isTimeout(error)
          ? new CannotTell('timed_out', `No metrics of ${component} within ${seconds} s`, { cause: error })
          : error;
      },
    );
    kept.set(component, { at: monotonic(), page });
    return orAbort(page, signal);
  };
}

async function read(
  component: RuntimeComponent,
  options: RuntimeMetricsOptions,
  signal: AbortSignal,
): Promise<RuntimeMetrics> {
  const address = options.pages[component];
  if (address === undefined) {
    throw new CannotTell(
      'not_applicable',
      `The metrics of ${component} are unknown: the agent does not run as a module`,
      { remedy: `Deploy the agent as an IoT Edge module, or set ${variable(component)} to their address.` },
    );
  }
  const url = new URL(address);
  const socket = await connected(component, url, options, signal);
  const page = await requestPage({ url, socket, maxBytes: maxPageBytes }, signal);
  const samples = parsed(page, address);
  if (!samples.some(({ name }) => name.startsWith(prefixes[component]))) {
    throw new CannotTell('unreadable', `${address} has no metrics of ${component}`);
  }
  const labelled = samples.find(({ labels }) => labels.instance_number !== undefined);
  return { readAt: options.now(), instance: labelled?.labels.instance_number, samples };
}

async function connected(
  component: RuntimeComponent,
  url: URL,
  { pages, resolve, dial }: RuntimeMetricsOptions,
  signal: AbortSignal,
): Promise<Socket> {
  const { host, port } = endpointOf(url, 80);
  try {
    const addresses = await resolve(host, signal);
    return (await dial(addresses, port, signal)).socket;
  } catch (error) {
    if (!(error instanceof CannotTell)) throw error;
    const failed = `The metrics of ${component} could not be read: ${error.message}`;
    if (!isUnknownName(error)) {
      throw new CannotTell(error.reason === 'internal_error' ? 'internal_error' : 'unreadable', failed, {
        cause: error,
      });
    }
    // The engine resolves the names of the containers that run, for those on the same network.
    const other = component === 'edgeHub' ? 'edgeAgent' : 'edgeHub';
    if (await resolves(pages[other], resolve, signal)) {
      throw new CannotTell(
        'not_found',
        `The metrics of ${component} could not be read: ${component} does not run`,
        {
          cause: error,
          remedy: 'See which modules run: `sudo iotedge list`.',
        },
      );
    }
    throw new CannotTell('no_access', failed, {
      cause: error,
      remedy:
        'Put this module on the network of the IoT Edge runtime: add "NetworkingConfig": { "EndpointsConfig": { "azure-iot-edge": {} } } ' +
        `to its createOptions, without "NetworkMode". Or set ${variable(component)} to an address that it can reach.`,
    });
  }
}

async function resolves(
  address: string | undefined,
  resolve: RuntimeMetricsOptions['resolve'],
  signal: AbortSignal,
): Promise<boolean> {
  if (address === undefined) return false;
  try {
    return (await resolve(endpointOf(new URL(address), 80).host, signal)).length > 0;
  } catch (error) {
    if (error instanceof CannotTell) return false;
    throw error;
  }
}

/** Whether the resolver has said that there is no such name. */
const isUnknownName = ({ cause }: CannotTell): boolean =>
  ['ENOTFOUND', 'ENODATA'].includes(codeOf(cause) ?? '');

const variable = (component: RuntimeComponent): string => `HARDENING_${component.toUpperCase()}_METRICS`;

function parsed(page: Buffer, address: string): RuntimeMetrics['samples'] {
  try {
    return parseExposition(page);
  } catch (error) {
    if (!(error instanceof CannotTell)) throw error;
    throw new CannotTell(error.reason, `${address} is no page of metrics: ${error.message}`, {
      cause: error,
    });
  }
}
