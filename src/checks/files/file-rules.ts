/** What the files that a pattern names must be like. */
export interface FileRule {
  readonly path: string;
  /** Octal text, a mask: a mode with any bit outside it is too open. */
  readonly maxMode?: string | undefined;
  /** A name of the VM, or a number in decimal digits. */
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
}

/**
 * What IoT Edge installs (iotedge and iot-identity-service, `contrib/` and package scripts). keyd's own keys have mode 0644, so
 * their folder is what protects them; key files are judged where users put them.
 */
export const defaultRules: readonly FileRule[] = [
  { path: '/etc/aziot/config.toml', maxMode: '0600', owner: 'root' },
  { path: '/etc/aziot/certd/config.d', maxMode: '0700', owner: 'aziotcs' },
  { path: '/etc/aziot/edged/config.d', maxMode: '0700', owner: 'iotedge' },
  { path: '/etc/aziot/identityd/config.d', maxMode: '0700', owner: 'aziotid' },
  { path: '/etc/aziot/keyd/config.d', maxMode: '0700', owner: 'aziotks' },
  { path: '/var/lib/aziot/certd', maxMode: '0700', owner: 'aziotcs' },
  { path: '/var/lib/aziot/identityd', maxMode: '0700', owner: 'aziotid' },
  { path: '/var/lib/aziot/keyd', maxMode: '0700', owner: 'aziotks' },
  { path: '/var/aziot/secrets', maxMode: '0700', owner: 'aziotks' },
  { path: '/var/aziot/secrets/*', maxMode: '0600', owner: 'aziotks' },
  { path: '/var/secrets/aziot/keyd', maxMode: '0700', owner: 'aziotks' },
  { path: '/var/secrets/aziot/keyd/*', maxMode: '0600', owner: 'aziotks' },
  { path: '/run/aziot/keyd.sock', maxMode: '0660', owner: 'aziotks', group: 'aziotks' },
];

/** Whether a pattern may match several paths. */
export const isPattern = (path: string): boolean => /[*?[{]/.test(path);
