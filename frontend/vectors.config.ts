import { defineConfig } from 'vitest/config'

/** `npm run vectors`: the file that writes vectors is run as tests are, and is none of them. */
export default defineConfig({ test: { include: ['tests/vectors/write.vectors.ts'] } })
