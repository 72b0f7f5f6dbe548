import { defineConfig } from 'vitest/config';

const always = {
  sequence: { shuffle: true },
  expect: { requireAssertions: true },
  retry: 0,
  setupFiles: ['test/setup/leaks.ts'],
};

export default defineConfig({
  test: {
    projects: [
      {
        test: { ...always, name: 'unit', include: ['{src,lab,scripts}/**/*.test.ts'], isolate: false },
      },
      {
        // setns moves one thread and a kernel has one ruleset a namespace: a file owns its process, one file at a time.
        test: {
          ...always,
          name: 'system',
          include: ['test/**/*.test.ts'],
          globalSetup: ['test/setup/build.ts'],
          pool: 'forks',
          isolate: true,
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
