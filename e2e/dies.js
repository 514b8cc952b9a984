/*
 * Runs in a page before its own code, for the tests alone: stops the page at one exact moment, so that it can be killed
 * there. The tab's session storage says when: "commit 2" is when its second IndexedDB transaction is on the disk, "send
 * 3" when its third frame has left, "message 1" when the first frame has come, each before the page learns of it.
 */
;(() => {
  'use strict'
  const happens = (what) => {
    const [moment, number] = sessionStorage.dies?.split(' ') ?? []
    if (moment !== what) return
    sessionStorage.dies = `${moment} ${number - 1}`
    if (number !== '1') return
    console.debug('this page dies')
    for (;;);
  }

  const { send } = WebSocket.prototype
  WebSocket.prototype.send = function (...frame) {
    send.apply(this, frame)
    happens('send')
  }
  window.WebSocket = class extends WebSocket {
    constructor(...address) {
      super(...address)
      this.addEventListener('message', () => happens('message'))
    }
  }

  const { transaction } = IDBDatabase.prototype
  IDBDatabase.prototype.transaction = function (...asked) {
    const begun = transaction.apply(this, asked)
    if (begun.mode === 'readwrite') begun.addEventListener('complete', () => happens('commit'))
    return begun
  }
})()
