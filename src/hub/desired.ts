import { applyPatch, isObject, type Json } from './merge-patch.ts';

/** Our own copy of the desired properties, kept right through patches, repeats and gaps. */
export interface DesiredCopy {
  /** Takes a document that was read. False for one without a version, which edgeHub has made up. */
  replace(document: Json): boolean;
  /** Takes a patch: `applied`, `old` when it is known already or has no version, `gap` when one before it was missed. */
  patch(patch: Json): 'applied' | 'old' | 'gap';
  document(): Json;
  /** Absent while the hub has never been reached: edgeHub then makes up an empty twin without a version. */
  version(): number | undefined;
}

export function createDesiredCopy(): DesiredCopy {
  let document: Json = {};
  const version = () => versionOf(document);
  return {
    replace(next) {
      // One that is older than what is known is right all the same: versions begin again when a twin is made anew.
      if (versionOf(next) === undefined) return false;
      document = next;
      return true;
    },
    patch(patch) {
      const [known, given] = [version(), versionOf(patch)];
      if (given === undefined || (known !== undefined && given <= known)) return 'old';
      if (known === undefined || given > known + 1) return 'gap';
      const next = applyPatch(document, patch);
      document = isObject(next) ? next : {};
      return 'applied';
    },
    document: () => document,
    version,
  };
}

function versionOf({ $version }: Json): number | undefined {
  return typeof $version === 'number' ? $version : undefined;
}
