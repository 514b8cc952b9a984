import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from '../../src/App.vue'
import { beginPage } from '../../src/composables/begin'
import { engineKey } from '../../src/composables/engine'
import { keepHistory } from '../../src/composables/history'
import { usePlaces } from '../../src/stores/places'
import '../../src/styles/main.css'
import { FakeEngine, LINK } from '../ui/fakeEngine'
import { measure } from './long'
import { scenes } from './scenes'

const engine = new FakeEngine()
const pinia = createPinia()
const asked = new URLSearchParams(location.search)
const scene = scenes[asked.get('scene') ?? 'home']
scene?.before?.(engine)
createApp(App).use(pinia).provide(engineKey, engine).mount('#app')

const places = usePlaces(pinia)
keepHistory(places)
const page = beginPage(engine)
await page.start(scene?.arrives === true ? LINK : '')
scene?.play(engine, places)
document.documentElement.dataset['ready'] = 'yes'
const rows = Number(asked.get('rows') ?? 0)
if (rows > 0)
  document.documentElement.dataset['measured'] = JSON.stringify(await measure(engine, rows))
