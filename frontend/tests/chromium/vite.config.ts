import { defineConfig } from 'vite'

// `vite build --config tests/chromium/vite.config.ts`; e2e/suite.py builds, serves and opens it.
export default defineConfig({
  root: import.meta.dirname,
  build: {
    target: 'es2023',
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
})
