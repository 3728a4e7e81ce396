/** The entry of the browser code: puts the panel into the page and starts what runs for as long as the page is open. */
import { render } from 'preact'
import './styles/tokens.css'
import './styles/base.css'
import './styles/shell.css'
import './styles/controls.css'
import './styles/home.css'
import { App, firstPage, startPages, startSession } from './shell/app.tsx'
import { startClock } from './shell/clock.ts'
import { startLive } from './shell/live.ts'
import { startRouter } from './shell/router.ts'
import './shell/theme.ts'

/** How long the frame of the panel waits for its page, so that both are drawn at once, ms. */
const FRAME_MS = 100

async function start(): Promise<void> {
  startClock()
  startRouter()
  const session = startSession()
  await startPages()
  const enough = new Promise<void>((resolve) => {
    setTimeout(resolve, FRAME_MS)
  })
  await Promise.race([firstPage, enough])
  render(<App />, document.getElementById('panel') ?? document.body)
  await session
  await firstPage
  startLive()
}

void start()
