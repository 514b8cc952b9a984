import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import tailwindcss from '@tailwindcss/vite'
import vue from '@vitejs/plugin-vue'
import { defineConfig, type Plugin } from 'vite'

const BASE = '/static/page/'

/**
 * Names each byte of the build: integrity attributes in the index, so that the browser runs nothing
 * else, and SHA256SUMS, so that anybody can compare what was served (SECURITY.md).
 */
function nameEveryByte(): Plugin {
  return {
    name: 'name-every-byte',
    apply: 'build',
    enforce: 'post',
    writeBundle({ dir = 'dist' }) {
      const index = join(dir, 'index.html')
      writeFileSync(index, withIntegrity(readFileSync(index, 'utf8'), dir))
      writeFileSync(join(dir, 'SHA256SUMS'), sums(dir))
    },
  }
}

const withIntegrity = (html: string, dir: string): string =>
  html.replace(
    /(src|href)="\/static\/page\/(assets\/[^"]+)"/g,
    (whole, _attribute: string, path: string) => {
      const digest = createHash('sha384').update(readFileSync(join(dir, path)))
      return `${whole} integrity="sha384-${digest.digest('base64')}"`
    },
  )

const sums = (dir: string): string =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'SHA256SUMS')
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
    .map((path) => {
      const digest = createHash('sha256').update(readFileSync(path)).digest('hex')
      return `${digest}  ${path.slice(dir.length + 1)}\n`
    })
    .join('')

/** Where `manage.py run --dev` has the server. */
const SERVER = `localhost:${process.env.SERVER_PORT ?? '8000'}`

// Django serves the built page: the index at /, everything else below /static/page/.
export default defineConfig(({ command }) => ({
  plugins: [vue(), tailwindcss(), nameEveryByte()],
  base: command === 'build' ? BASE : '/',
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
    proxy: { '/api': `http://${SERVER}`, '/ws': { target: `ws://${SERVER}`, ws: true } },
  },
}))
