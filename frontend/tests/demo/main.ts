import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from '../../src/App.vue'
import { beginPage } from '../../src/composables/begin'
import { engineKey } from '../../src/composables/engine'
import { keepHistory } from '../../src/composables/history'
import { usePlaces } from '../../src/stores/places'
import '../../src/styles/main.css'
import { FakeEngine, LINK } from '../ui/fakeEngine'
import { scenes } from './scenes'

const engine = new FakeEngine()
const pinia = createPinia()
const scene = scenes[new URLSearchParams(location.search).get('scene') ?? 'home']
scene?.before?.(engine)
createApp(App).use(pinia).provide(engineKey, engine).mount('#app')

const places = usePlaces(pinia)
keepHistory(places)
const page = beginPage(engine)
await page.start(scene?.arrives === true ? LINK : '')
scene?.play(engine, places)
document.documentElement.dataset['ready'] = 'yes'
