// scripts/build.mjs puts every `*.sample.ts` beside the checks' tests here.
declare module 'samples' {
  export const samples: readonly import('../test/support/samples.ts').Sample[];
}
