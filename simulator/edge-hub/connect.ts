import { createHmac, timingSafeEqual } from 'node:crypto';
import { clientIdOf, type Identity } from '../workload/identity.ts';
import { decode, splitOnce } from './encoding.ts';

/** The credentials in an MQTT CONNECT. */
export interface Credentials {
  readonly clientId: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/**
 * CONNACK return codes of MQTT 3.1.1 section 3.2.2.3, as edgeHub uses them (Connect in MqttAdapter.cs): 3, server
 * unavailable, for any exception, such as a malformed user name; 5 for not authorized. It never sends 4.
 */
export interface Rejection {
  readonly returnCode: 3 | 5;
  readonly reason: string;
}

/** HMAC-SHA256 with the module's key: signs in edged, verifies in edgeHub. */
export const sign = (key: Buffer, data: Buffer | string): Buffer =>
  createHmac('sha256', key).update(data).digest();

/** Why edgeHub rejects a connection; undefined when it accepts it. */
export function connectRejection(
  { clientId, username, password }: Credentials,
  identity: Identity,
  key: Buffer,
  now: Date,
): Rejection | undefined {
  const owner = usernameOwner(username ?? '');
  if (owner === undefined) {
    return unavailable(`the user name must be hub/device/module/?api-version=…, got "${username ?? ''}"`);
  }
  if (!password) return unauthorized('the password is missing');
  const token = parseToken(password);
  if (token === undefined)
    return unauthorized('the password must be a SharedAccessSignature with sr, sig and se');

  const expected = clientIdOf(identity);
  if (owner !== expected) return unauthorized(`the user name must be for ${expected}, got ${owner}`);
  if (clientId !== expected) return unauthorized(`the client id must be ${expected}, got "${clientId}"`);
  return tokenRejection(token, identity, key, now);
}

interface Token {
  /** Still percent-encoded, because the signature covers it in this form. */
  readonly sr: string;
  readonly sig: string;
  readonly se: string;
}

/** The `device/module` of a user name, parsed as in edgeHub's MqttUsernameParser; undefined when malformed. */
function usernameOwner(username: string): string | undefined {
  const match = /^[^/]+\/([^/]+)\/([^/]+)\/(\?)?([^/]*)$/.exec(username);
  const [, device, module, , query = ''] = match ?? [];
  if (!device?.trim() || !module?.trim()) return undefined;
  const version = query.split('&').find((property) => property.startsWith('api-version='));
  return version && version.length > 'api-version='.length ? `${device.trim()}/${module.trim()}` : undefined;
}

function parseToken(password: string): Token | undefined {
  const match = /^SharedAccessSignature (.+)$/.exec(password);
  const fields = new Map(match?.[1]?.split('&').map((pair) => splitOnce(pair, '=')));
  const [sr, sig, se] = [fields.get('sr'), fields.get('sig'), fields.get('se')];
  return sr && sig && se && /^\d+$/.test(se) ? { sr, sig, se } : undefined;
}

function tokenRejection(
  { sr, sig, se }: Token,
  identity: Identity,
  key: Buffer,
  now: Date,
): Rejection | undefined {
  const signature = Buffer.from(decode(sig), 'base64');
  const expected = sign(key, `${sr}\n${se}`);
  if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
    return unauthorized('the token is not signed with this module’s key');
  }
  const { iothub, gateway, deviceId, moduleId } = identity;
  const audiences = [iothub, gateway].map((host) => `${host}/devices/${deviceId}/modules/${moduleId}`);
  // edgeHub ignores case, because the documentation requires lower case in sr.
  if (!audiences.some((audience) => audience.toLowerCase() === decode(sr).toLowerCase())) {
    return unauthorized(`the token must be for "${audiences[0]}", got "${decode(sr)}"`);
  }
  const expired = Number(se) * 1000 <= now.getTime();
  return expired ? unauthorized(`the token expired at Unix time ${se}`) : undefined;
}

const unavailable = (reason: string): Rejection => ({ returnCode: 3, reason });
const unauthorized = (reason: string): Rejection => ({ returnCode: 5, reason });
