// scripts/build.mjs provides this module: every `*.sample.ts` below test/checks.
declare module 'samples' {
  export const samples: readonly import('../test/support/fixtures/samples.ts').Sample[];
}
