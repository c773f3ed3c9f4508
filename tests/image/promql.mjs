// Print the queries of the standard input, a JSON list, that are not valid PromQL, with the place of the error.
import { readFileSync } from 'node:fs'
import { parser } from '@prometheus-io/lezer-promql'

for (const query of JSON.parse(readFileSync(0, 'utf8'))) {
  parser.parse(query).iterate({
    enter: (node) => {
      if (node.type.isError) console.log(`${query.replace(/\s+/g, ' ')}: error at character ${node.from}`)
    },
  })
}
