declare const __VERSION__: string | undefined;
declare const __REVISION__: string | undefined;

/** The package's version; `0.0.0` where the sources run unbundled. */
export const version = typeof __VERSION__ === 'string' ? __VERSION__ : '0.0.0';
/** The commit that was built, or `unknown`. */
export const revision = typeof __REVISION__ === 'string' ? __REVISION__ : 'unknown';
