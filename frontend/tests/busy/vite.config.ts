import tailwindcss from '@tailwindcss/vite'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

// The page on a network that is a worker, for bench/busy_page.py. Its document is the demo's, with our main.ts.
export default defineConfig({
  root: `${import.meta.dirname}/../demo`,
  plugins: [
    vue(),
    tailwindcss(),
    {
      name: 'busy',
      transformIndexHtml: {
        order: 'pre',
        handler: (html) => html.replace('./main.ts', '../busy/main.ts'),
      },
    },
  ],
  worker: { format: 'es' },
  build: {
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
})
