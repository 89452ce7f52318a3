/** The Node.js flags and the environment of the image, inserted by scripts/build.mjs. */
declare const __IMAGE__: {
  readonly flags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
};
