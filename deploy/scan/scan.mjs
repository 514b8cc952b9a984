// `node scan.mjs localhost:8443 "policy" …`: what Mozilla's HTTP Observatory and Google's csp_evaluator say, as JSON.
//
// {"scan": …, "tests": …, "policies": [[finding, …], …]}. The observatory asks http:// and https:// at the same host
// and port; e2e/front.py answers both there. A certificate of one's own is trusted by NODE_EXTRA_CA_CERTS.

import { existsSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { scan } from '@mdn/mdn-http-observatory'
import { CspEvaluator } from 'csp_evaluator/dist/evaluator.js'
import { CspParser } from 'csp_evaluator/dist/parser.js'

// The scanner downloads the list of preloaded hosts when it is installed; without it none counts as preloaded, which
// only makes the tests harder.
const main = import.meta.resolve('@mdn/mdn-http-observatory')
const preloaded = fileURLToPath(new URL('../conf/hsts-preload.json', main))
if (!existsSync(preloaded)) writeFileSync(preloaded, '{}')

const [host, ...policies] = process.argv.slice(2)
const { scan: summary, tests } = await scan(host)
console.log(
  JSON.stringify({
    scan: summary,
    tests,
    policies: policies.map((policy) => new CspEvaluator(new CspParser(policy).csp).evaluate()),
  }),
)
