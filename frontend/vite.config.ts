import tailwindcss from '@tailwindcss/vite'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'
import manifestSRI from 'vite-plugin-manifest-sri'

// Django serves the built page: the index at /, everything else below /static/page/.
export default defineConfig({
  plugins: [vue(), tailwindcss(), manifestSRI()],
  base: '/static/page/',
  build: {
    target: 'es2023',
    manifest: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  server: {
    port: 5173,
    strictPort: true,
    proxy: { '/api': 'http://localhost:8000', '/ws': { target: 'ws://localhost:8000', ws: true } },
  },
})
