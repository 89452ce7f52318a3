import { defineConfig } from 'vitest/config';
import { skippedReporter } from './test/support/skipped-reporter.ts';

// Where to write a JSON report as well; .ci/run counts from it.
const report = process.env.TEST_REPORT;

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    reporters: ['default', skippedReporter(), ...(report ? ['json'] : [])],
    ...(report ? { outputFile: { json: report } } : {}),
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Two workers keep the network tests' deadlines honest on a two-core machine.
    maxWorkers: 2,
  },
});
