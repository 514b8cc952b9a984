import tailwindcss from '@tailwindcss/vite'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

// The screens without an engine: `npx vite build -c tests/demo/vite.config.ts`, then ?scene=home; with ?rows=
// a long conversation is measured (bench/long_conversation.py).
export default defineConfig({
  root: import.meta.dirname,
  plugins: [vue(), tailwindcss()],
  build: {
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    outDir: '../../node_modules/.demo',
    emptyOutDir: true,
    reportCompressedSize: false,
  },
})
