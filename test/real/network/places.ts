/** Name servers of the world: one that is right, one that gives a wrong address, one that refuses, one that is silent. */
export const dns = { right: '192.0.2.53', lying: '192.0.2.54', refusing: '192.0.2.55', silent: '192.0.2.56' };

export const ports = {
  tls: 8883,
  https: 443,
  portal: 444,
  expired: 7001,
  wrongName: 7002,
  unknown: 7003,
  silent: 7004,
  ipv6Dropped: 7005,
  ipv4Dropped: 7006,
  /** Where nothing listens. */
  closed: 7007,
  dropped: 7010,
  rejected: 7011,
  reset: 7012,
  prohibited: 7013,
  /** Proxies without and with a password. Both allow 443 and a dropped port, but not 8883. */
  proxy: 3128,
  closedProxy: 3129,
};
export const blackHoles = Array.from({ length: 50 }, (_, i) => 7100 + i);
/** Where a TLS server answers. */
export const many = Array.from({ length: 450 }, (_, i) => 10_000 + i);

/** Ports of the world that a firewall rejects, each in its own way. */
export const rejections = [
  ['iptables', 'icmp-net-unreachable', 'ENETUNREACH'],
  ['iptables', 'icmp-host-unreachable', 'EHOSTUNREACH'],
  ['iptables', 'icmp-port-unreachable', 'ECONNREFUSED'],
  ['iptables', 'icmp-proto-unreachable', 'ENOPROTOOPT'],
  ['iptables', 'icmp-net-prohibited', 'ENETUNREACH'],
  ['iptables', 'icmp-host-prohibited', 'EHOSTUNREACH'],
  ['iptables', 'icmp-admin-prohibited', 'EHOSTUNREACH'],
  ['iptables', 'tcp-reset', 'ECONNREFUSED'],
  ['ip6tables', 'icmp6-no-route', 'ENETUNREACH'],
  ['ip6tables', 'icmp6-adm-prohibited', 'EACCES'],
  ['ip6tables', 'icmp6-addr-unreachable', 'EHOSTUNREACH'],
  ['ip6tables', 'icmp6-port-unreachable', 'ECONNREFUSED'],
  ['ip6tables', 'icmp6-policy-fail', 'EACCES'],
  ['ip6tables', 'icmp6-reject-route', 'EACCES'],
  ['ip6tables', 'tcp-reset', 'ECONNREFUSED'],
].map(([tables = '', how = '', code = ''], i) => ({ tables, how, code, port: 7200 + i }));

/** Networks to which the device has a route that rejects. */
export const rejectingRoutes = [
  { type: 'blackhole', code: 'EINVAL' },
  { type: 'prohibit', code: 'EACCES' },
  { type: 'unreachable', code: 'EHOSTUNREACH' },
  { type: 'throw', code: 'ENETUNREACH' },
].map((route, i) => ({ ...route, networks: [`198.51.100.${16 * i}/28`, `2001:db8:${i + 1}::/48`] }));

export const hub = 'hub.azure-devices.net';
