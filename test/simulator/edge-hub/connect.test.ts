import { describe, expect, test } from 'vitest';
import { connectRejection, sign } from '../../../simulator/edge-hub/connect.ts';

const identity = {
  iothub: 'hub.azure-devices.net',
  deviceId: 'dev',
  moduleId: 'mod',
  generationId: '1',
  gateway: 'edge.local',
};
const key = Buffer.from('the key of this module');
const now = new Date('2026-11-21T20:30:00Z');
const nowSeconds = now.getTime() / 1000;

const token = ({
  audience = 'hub.azure-devices.net/devices/dev/modules/mod',
  expiry = nowSeconds + 3600,
  signedWith = key,
} = {}) => {
  const sr = encodeURIComponent(audience);
  const sig = encodeURIComponent(sign(signedWith, `${sr}\n${expiry}`).toString('base64'));
  return `SharedAccessSignature sr=${sr}&sig=${sig}&se=${expiry}`;
};
const valid = {
  clientId: 'dev/mod',
  username: 'hub.azure-devices.net/dev/mod/?api-version=2021-04-12&DeviceClientType=x%2F1',
  password: token(),
};
const rejection = (change: Partial<typeof valid>) =>
  connectRejection({ ...valid, ...change }, identity, key, now);

describe('edgeHub accepts', () => {
  test.each([
    ['the credentials that the SDK sends', {}],
    ['a user name without the question mark', { username: 'hub/dev/mod/api-version=2018-06-30' }],
    [
      'a token for the gateway instead of the hub',
      { password: token({ audience: 'edge.local/devices/dev/modules/mod' }) },
    ],
    [
      'an audience in different case',
      { password: token({ audience: 'HUB.azure-devices.net/devices/DEV/modules/mod' }) },
    ],
    ['a token one second before it expires', { password: token({ expiry: nowSeconds + 1 }) }],
  ])('%s', (_what, change) => {
    expect(rejection(change)).toBeUndefined();
  });
});

describe('edgeHub rejects', () => {
  test.each([
    ['a user name without a module', 3, { username: 'hub/dev/?api-version=2021-04-12' }],
    ['a user name without an API version', 3, { username: 'hub/dev/mod/?DeviceClientType=x' }],
    ['an empty API version', 3, { username: 'hub/dev/mod/?api-version=' }],
    ['no user name', 3, { username: '' }],
    ['no password', 5, { password: '' }],
    ['a password that is not a token', 5, { password: 'secret' }],
    ['a token without an expiry', 5, { password: token().replace(/&se=.*/, '') }],
    ['another module’s user name', 5, { username: 'hub/dev/other/?api-version=2021-04-12' }],
    ['another client id', 5, { clientId: 'dev/other' }],
    ['a token signed with another key', 5, { password: token({ signedWith: Buffer.from('other') }) }],
    ['a token with a modified expiry', 5, { password: token().replace(/se=\d+/, 'se=9999999999') }],
    [
      'a token for another module',
      5,
      { password: token({ audience: 'hub.azure-devices.net/devices/dev/modules/other' }) },
    ],
    [
      'a token for another hub',
      5,
      { password: token({ audience: 'other.azure-devices.net/devices/dev/modules/mod' }) },
    ],
    ['a token at the second it expires', 5, { password: token({ expiry: nowSeconds }) }],
    [
      'a malformed percent-encoding in the signature',
      5,
      { password: token().replace(/sig=[^&]*/, 'sig=%zz') },
    ],
  ])('%s with code %i', (_what, returnCode, change) => {
    expect(rejection(change)).toMatchObject({ returnCode });
  });
});
