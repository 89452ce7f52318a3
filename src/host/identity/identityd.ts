import * as z from 'zod';
import { CannotTell } from '../../check.ts';
import { requestOverUnixSocket } from '../edge/unix-request.ts';
import type { Provisioning } from './types.ts';
import { wayOf } from './way.ts';

const maxBytes = 65_536;
/** The first version with this call (aziot-identity-common-http). */
const path = '/identities/provisioning?api-version=2021-12-01';

/** Everything else, such as the payload for DPS, is dropped. */
const answer = z.object({
  source: z.enum(['dps', 'manual', 'none']),
  auth: z.string().max(64).optional(),
  registration_id: z.string().max(1024).optional(),
});

/**
 * Asks identityd how the device is provisioned, which it answers to everybody who may use its socket.
 *
 * @throws CannotTell `not_found`, `no_access` or `unreadable`.
 */
export async function askIdentityd(socketPath: string, signal: AbortSignal): Promise<Provisioning> {
  const what = `GET ${path} on ${socketPath}`;
  const { status, body } = await requestOverUnixSocket({ socketPath, what, path, maxBytes }, signal);
  if (status !== 200) throw new CannotTell('unreadable', `${what} was answered ${status}`);
  const { success, data } = answer.safeParse(parseJson(body));
  const way = success ? wayOf(data.source, data.auth) : undefined;
  if (way === undefined) throw new CannotTell('unreadable', `${what} was answered with something unknown`);
  return { way, evidence: 'identityd', registrationId: data?.registration_id };
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
