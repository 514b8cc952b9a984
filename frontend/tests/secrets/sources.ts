/** The page's own sources, as text and as syntax. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import ts from 'typescript'

export const FRONTEND = join(import.meta.dirname, '../..')
const SRC = join(FRONTEND, 'src')

interface Source {
  /** Below src. */
  readonly path: string
  readonly text: string
  /** Of a component, its script. */
  readonly syntax: ts.SourceFile
}

/** Every module and every component. */
const sources: readonly Source[] = readdirSync(SRC, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.(ts|vue)$/.test(entry.name))
  .map((entry) => join(entry.parentPath, entry.name))
  .toSorted()
  .map(read)

function read(path: string): Source {
  const text = readFileSync(path, 'utf8')
  const script = path.endsWith('.vue')
    ? (/<script[^>]*>([^]*)<\/script>/.exec(text)?.[1] ?? '')
    : text
  const syntax = ts.createSourceFile(path, script, ts.ScriptTarget.Latest, true)
  return { path: relative(SRC, path), text, syntax }
}

/** Every node of a kind in the page, as `path: text`, where it passes. */
export function find<T extends ts.Node>(
  is: (node: ts.Node) => node is T,
  passes: (node: T) => boolean,
  among: RegExp = /./,
): string[] {
  const found: string[] = []
  for (const { path, syntax } of sources.filter((source) => among.test(source.path))) {
    const walk = (node: ts.Node): void => {
      if (is(node) && passes(node)) found.push(`${path}: ${node.getText().replaceAll(/\s+/g, ' ')}`)
      ts.forEachChild(node, walk)
    }
    walk(syntax)
  }
  return found
}

/** Every call of a function whose name passes. */
export const callsOf = (name: RegExp): string[] =>
  find(ts.isCallExpression, ({ expression }) => name.test(expression.getText()))

/** The files whose text has something that fits, comments and templates included. */
export const pathsWith = (pattern: RegExp): string[] =>
  sources.flatMap(({ path, text }) => (pattern.test(text) ? [path] : []))
