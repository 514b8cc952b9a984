import { testCrashes } from './crash'
import { ownerAway, twoGuests } from './plots'

testCrashes({
  'a guest writes before the owner is back': ownerAway,
  'two join by one link': twoGuests,
})
