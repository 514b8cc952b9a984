import { testCrashes } from './crash'
import { byLink, byRequest } from './plots'

testCrashes({
  'two meet by a link, talk, keep on, and part': byLink,
  'one asks without a link, and is accepted': byRequest,
})
