import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // Two workers keep the network tests' deadlines honest on a two-core machine.
    maxWorkers: 2,
  },
});
