import { createHmac, timingSafeEqual } from 'node:crypto';
import { clientIdOf, type Identity } from '../workload/identity.ts';

/** What an MQTT CONNECT brings. */
export interface Credentials {
  readonly clientId: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/** MQTT 3.1.1 section 3.2.2.3: 4 bad user name or password (they cannot be read), 5 not authorized. */
export interface Refusal {
  readonly returnCode: 4 | 5;
  readonly why: string;
}

/** HMAC-SHA256 with the module's key, as edged signs and edgeHub verifies. */
export const sign = (key: Buffer, data: Buffer | string): Buffer =>
  createHmac('sha256', key).update(data).digest();

/** Why edgeHub refuses a connection; undefined when it takes it. */
export function connectRefusal(
  { clientId, username, password }: Credentials,
  identity: Identity,
  key: Buffer,
  now: Date,
): Refusal | undefined {
  if (!username || !password) return unreadable('the user name or the password is missing');
  const owner = usernameOwner(username);
  if (owner === undefined) {
    return unreadable(`the user name "${username}" is not hub/device/module/?api-version=…`);
  }
  const token = parseToken(password);
  if (token === undefined)
    return unreadable('the password is not a SharedAccessSignature with sr, sig and se');

  const expected = clientIdOf(identity);
  if (owner !== expected) return unauthorized(`the user name is for ${owner}, this is ${expected}`);
  if (clientId !== expected) return unauthorized(`the client id is "${clientId}", not ${expected}`);
  return tokenRefusal(token, identity, key, now);
}

interface Token {
  /** As it was signed: still encoded. */
  readonly sr: string;
  readonly sig: string;
  readonly se: string;
}

/** The `device/module` of a user name, as edgeHub's MqttUsernameParser reads it; undefined when it refuses. */
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

function tokenRefusal(
  { sr, sig, se }: Token,
  identity: Identity,
  key: Buffer,
  now: Date,
): Refusal | undefined {
  const signature = Buffer.from(decoded(sig), 'base64');
  const right = sign(key, `${sr}\n${se}`);
  if (signature.length !== right.length || !timingSafeEqual(signature, right)) {
    return unauthorized('the token is not signed with this module’s key');
  }
  const { iothub, gateway, deviceId, moduleId } = identity;
  const audiences = [iothub, gateway].map((host) => `${host}/devices/${deviceId}/modules/${moduleId}`);
  // edgeHub compares without case, because the documentation asks for lower case in sr.
  if (!audiences.some((audience) => audience.toLowerCase() === decoded(sr).toLowerCase())) {
    return unauthorized(`the token is for "${decoded(sr)}", not "${audiences[0]}"`);
  }
  const expired = Number(se) * 1000 <= now.getTime();
  return expired ? unauthorized(`the token expired at ${se} seconds since 1970`) : undefined;
}

const unreadable = (why: string): Refusal => ({ returnCode: 4, why });
const unauthorized = (why: string): Refusal => ({ returnCode: 5, why });

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** Percent-decoded; as it is when it cannot be, which then matches nothing. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
