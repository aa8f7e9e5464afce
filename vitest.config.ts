import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['@tsmqtt/source', 'node', 'import', 'default'] },
  ssr: { resolve: { conditions: ['@tsmqtt/source', 'node', 'import', 'default'] } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts'],
    environment: 'node',
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
