import { isIPv6 } from 'node:net';
import { CannotTell } from '../check.ts';
import type { Endpoint } from '../host.ts';

/** Takes `host`, `host:port`, `[IPv6]` or `[IPv6]:port` apart. */
export function splitAddress(text: string, defaultPort: number): Endpoint {
  const { v6, name, port } =
    /^(?:\[(?<v6>[^\]]+)\]|(?<name>[^\s:/[\]]+))(?::(?<port>\d+))?$/.exec(text)?.groups ?? {};
  const host = v6 ?? name;
  const number = Number(port ?? defaultPort);
  if (host === undefined || (v6 !== undefined && !isIPv6(v6)) || number < 1 || number > 65_535) {
    throw new CannotTell('unreadable', `"${text}" is not of the form host, host:port or [IPv6]:port`);
  }
  return { host, port: number };
}
