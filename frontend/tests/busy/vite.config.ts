import tailwindcss from '@tailwindcss/vite'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

// The page on a network that is a worker, for bench/busy_page.py.
export default defineConfig({
  root: import.meta.dirname,
  plugins: [vue(), tailwindcss()],
  worker: { format: 'es' },
  build: {
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
})
