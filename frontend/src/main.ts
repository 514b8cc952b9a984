import { takeFragment, takenFragment } from './engine/fragment'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { engineKey } from './composables/engine'
import { keepHistory } from './composables/history'
import { beginPage } from './composables/begin'
import { createEngine } from './engine'
import { usePlaces } from './stores/places'
import './styles/main.css'

const engine = createEngine()
const pinia = createPinia()
createApp(App).use(pinia).provide(engineKey, engine).mount('#app')

keepHistory(usePlaces(pinia))
const page = beginPage(engine)
void page.start(takenFragment())
window.addEventListener('hashchange', () => {
  takeFragment()
  void page.arrive(takenFragment())
})
