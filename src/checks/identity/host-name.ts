/** The longest common name of a certificate (RFC 5280, ub-common-name), which edgeHub's certificate has the host name in. */
const maxLength = 64;

/** What is wrong with the host name of a device, as a clause; undefined for one that certificates and clients accept. */
export function hostNameProblem(name: string): string | undefined {
  if (isAddress(name)) return undefined;
  if (name.length > maxLength)
    return `has ${name.length} characters, and a certificate has room for ${maxLength}`;
  if (/[A-Z]/.test(name)) return 'has capital letters, which clients compare with certificates literally';
  // RFC 1035, section 2.3.1.
  const labels = name.split('.');
  const isLabel = (label: string) => label.length <= 63 && /^[a-z]([a-z0-9-]*[a-z0-9])?$/.test(label);
  return labels.every(isLabel) ? undefined : 'is not a host name by RFC 1035';
}

const isAddress = (name: string): boolean => /^\d{1,3}(\.\d{1,3}){3}$/.test(name) || name.includes(':');
