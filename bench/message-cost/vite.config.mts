// In frontend/: `npx vite --config ../bench/message-cost/vite.config.mts --open`, or `make bench`.
const modules = new URL('../../frontend/node_modules/', import.meta.url).pathname

export default {
  root: import.meta.dirname,
  // Nothing is installed here: the page's own sources bring what they need, and this is all the rest.
  resolve: {
    alias: {
      'node-forge': `${modules}node-forge`,
      '@msgpack/msgpack': `${modules}@msgpack/msgpack`,
    },
  },
  cacheDir: `${modules}.vite-message-cost`,
  server: { fs: { allow: ['../..'] } },
  build: {
    target: 'es2023',
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
}
