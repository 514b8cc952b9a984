import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  plugins: [vue()],
  test: {
    include: ['tests/**/*.test.ts'],
    environment: 'node',
    sequence: { shuffle: true },
    maxWorkers: '100%',
    hookTimeout: 60_000, // some make RSA keys, which takes as long as it takes
    restoreMocks: true,
  },
})
