/** `1.5` of `1.5.21`, `v1.5` or `1.5.44-linux-amd64`; undefined where a text does not begin with a version. */
export const lineOf = (version: string): string | undefined =>
  /^v?(\d{1,4}\.\d{1,4})(?!\d)/.exec(version)?.[1];

/**
 * The line of a container engine: its major version, but `20.10` before 23. A vendor's build, `24.0.9+azure-1`, counts as its
 * upstream line.
 */
export function engineLineOf(version: string): string | undefined {
  const line = lineOf(version);
  const major = line?.split('.')[0];
  return major !== undefined && Number(major) < 23 ? line : major;
}

/** The line of an operating system, as the table has it: Debian and RHEL count majors only. */
export function systemLineOf(id: string, version: string): string | undefined {
  const [major = '', minor] = version.split('.');
  if (!/^\d{1,4}$/.test(major) || (minor !== undefined && !/^\d{1,4}$/.test(minor))) return undefined;
  return id === 'debian' || id === 'rhel' || minor === undefined ? major : `${major}.${minor}`;
}

/** Negative where a line is older than another, by its numbers. */
export function compareLines(a: string, b: string): number {
  const [major = 0, minor = 0] = a.split('.').map(Number);
  const [otherMajor = 0, otherMinor = 0] = b.split('.').map(Number);
  return major - otherMajor || minor - otherMinor;
}
