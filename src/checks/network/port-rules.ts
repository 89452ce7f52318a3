/** Ports of one protocol, from `first` to `last`. */
export interface PortRule {
  readonly protocol: 'tcp' | 'udp';
  readonly first: number;
  readonly last: number;
}

/** Parses `tcp/22` or `udp/100-200`; returns a clause for anything else. */
export function parsePortRule(text: string): PortRule | string {
  const [, protocol, from, to = from] = /^(tcp|udp)\/(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  if (protocol === undefined) return 'must be tcp/PORT, udp/PORT or a range such as tcp/8000-8010';
  const [first, last] = [Number(from), Number(to)];
  if (first < 1 || last < 1 || first > 65_535 || last > 65_535) return 'has a port that is not 1 to 65535';
  if (first > last) return 'has a range that ends before it begins';
  return { protocol: protocol as 'tcp' | 'udp', first, last };
}

/** Whether one of some rules, each of them valid, covers a port. */
export const covers = (
  rules: readonly string[],
  { protocol, port }: { readonly protocol: string; readonly port: number },
): boolean =>
  rules.some((text) => {
    const rule = parsePortRule(text);
    return typeof rule !== 'string' && rule.protocol === protocol && rule.first <= port && port <= rule.last;
  });
