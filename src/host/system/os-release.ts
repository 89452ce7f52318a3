/** The two fields of os-release(5) that say which system it is. */
export interface OsRelease {
  readonly id: string | undefined;
  readonly version: string | undefined;
}

/** Reads `ID` and `VERSION_ID` from lines of assignments, quoted or not. Everything else is ignored. */
export function parseOsRelease(text: string): OsRelease {
  const fieldOf = (name: string, pattern: RegExp): string | undefined => {
    const line = text.split('\n').findLast((each) => each.startsWith(`${name}=`));
    const value = line
      ?.slice(name.length + 1)
      .trim()
      .replace(/^(["'])(.*)\1$/, '$2');
    return value !== undefined && pattern.test(value) ? value : undefined;
  };
  return {
    id: fieldOf('ID', /^[a-z0-9._-]{1,64}$/),
    version: fieldOf('VERSION_ID', /^[a-z0-9._-]{1,64}$/),
  };
}

/** Debian's releases by the kernel they came with. */
const debianKernels: readonly [kernel: RegExp, release: string][] = [
  [/^5\.10\./, '11'],
  [/^6\.1\./, '12'],
  [/^6\.12\./, '13'],
];

/**
 * What the kernel's release (`uname -r`) and version (`uname -v`) tell: distributions put their names there. A container has
 * the kernel of its machine.
 */
export function systemOfKernel(release: string, version: string): OsRelease {
  if (/\.cm2(\.|$)/.test(release)) return { id: 'mariner', version: '2.0' };
  if (/\.azl3(\.|$)/.test(release)) return { id: 'azurelinux', version: '3.0' };
  const [, enterprise] = /\.el(\d{1,2})(_\d+)?(\.|$)/.exec(release) ?? [];
  if (enterprise !== undefined) return { id: 'rhel', version: enterprise };
  if (version.includes('-Ubuntu')) {
    // Only the kernels that a release got later name it: `#94~20.04.1-Ubuntu`.
    return { id: 'ubuntu', version: /~(\d\d\.\d\d)(\.\d+)?-Ubuntu/.exec(version)?.[1] };
  }
  if (/\bDebian\b/.test(version)) {
    const [, backport] = /\.deb(\d{1,2})\b|~bpo(\d{1,2})\b/.exec(release) ?? [];
    return { id: 'debian', version: backport ?? debianKernels.find(([kernel]) => kernel.test(release))?.[1] };
  }
  return { id: undefined, version: undefined };
}
