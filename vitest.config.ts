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
        test: {
          ...always,
          name: 'unit',
          include: ['{src,lab,scripts}/**/*.test.ts'],
          isolate: false,
          // For what hangs. Properties of hundreds of runs take two seconds, several times that beside other work.
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        // setns moves one thread and a kernel has one ruleset a namespace: a file owns its process, one file at a time.
        test: {
          ...always,
          name: 'system',
          include: ['test/**/*.test.ts'],
          // Those take minutes: `make test-all`.
          exclude: ['test/docker/**', 'test/kubernetes/**'],
          globalSetup: ['test/setup/build.ts'],
          pool: 'forks',
          isolate: true,
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        // Real Docker engines; see test/docker/README.md.
        test: {
          ...always,
          name: 'docker',
          include: ['test/docker/**/*.test.ts'],
          globalSetup: ['test/setup/build.ts'],
          pool: 'forks',
          isolate: true,
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        // A real Kubernetes API server; see test/kubernetes/README.md.
        test: {
          ...always,
          name: 'kubernetes',
          include: ['test/kubernetes/**/*.test.ts'],
          pool: 'forks',
          isolate: true,
          fileParallelism: false,
          testTimeout: 60_000,
        },
      },
    ],
  },
});
