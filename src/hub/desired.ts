import { applyPatch, isObject, type Json } from './merge-patch.ts';

/** A local copy of the desired properties that stays correct through patches, repeats and gaps. */
export interface DesiredCopy {
  /** Replaces the copy with a document that was read; returns false for one without a version, which edgeHub made up. */
  replace(document: Json): boolean;
  /** Applies a patch. `old`: already known, or without a version. `gap`: an earlier patch was missed. */
  patch(patch: Json): 'applied' | 'old' | 'gap';
  document(): Json;
  /** Undefined until the hub was reached once: before that, edgeHub makes up an empty twin without a version. */
  version(): number | undefined;
}

export function createDesiredCopy(): DesiredCopy {
  let document: Json = {};
  const version = () => versionOf(document);
  return {
    replace(next) {
      // A lower version than the known one is valid: versions restart when a twin is recreated.
      if (versionOf(next) === undefined) return false;
      document = next;
      return true;
    },
    patch(patch) {
      const [known, received] = [version(), versionOf(patch)];
      if (received === undefined || (known !== undefined && received <= known)) return 'old';
      if (known === undefined || received > known + 1) return 'gap';
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
