/** A reference to an image, as edgeAgent and Docker read it. */
export interface ImageReference {
  /** `host[:port]` in lower case; `docker.io` where the reference names none. */
  readonly registry: string;
  /** The path below the registry. */
  readonly repository: string;
  /** Undefined where there is none, which means `latest` unless there is a digest. */
  readonly tag: string | undefined;
  /** Such as `sha256:` and 64 hex digits. */
  readonly digest: string | undefined;
}

/** Docker's limit for a name with its registry, and for a tag. */
const maxName = 255;
const maxTag = 128;

/**
 * Parses `[registry/]repository[:tag][@digest]`; `$upstream[:port]` is a registry too. Undefined for anything else, such as an
 * image by its local id.
 */
export function parseImage(text: string): ImageReference | undefined {
  const [named = '', digest, more] = text.split('@');
  if (more !== undefined || (digest !== undefined && !/^[a-z0-9]{1,16}:[0-9a-f]{1,128}$/.test(digest)))
    return undefined;
  if (/^(sha256:)?[0-9a-f]{64}$/.test(named)) return undefined;
  const lastPart = named.lastIndexOf('/') + 1;
  const colon = named.indexOf(':', lastPart);
  const name = colon < 0 ? named : named.slice(0, colon);
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  if (tag !== undefined && (tag.length > maxTag || !/^\w[\w.-]*$/.test(tag))) return undefined;
  const [first = '', ...rest] = name.split('/');
  const isNamed = rest.length > 0 && (/[.:$]/.test(first) || first.toLowerCase() === 'localhost');
  const repository = (isNamed ? rest : [first, ...rest]).join('/');
  if (name.length > maxName || !/^[a-z0-9][a-z0-9._/-]*$/.test(repository)) return undefined;
  const registry = isNamed ? first.toLowerCase() : 'docker.io';
  return {
    registry: /^(index|registry-1)\.docker\.io$/.test(registry) ? 'docker.io' : registry,
    repository,
    tag,
    digest,
  };
}
