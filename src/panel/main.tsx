/** The entry of the browser code: puts the panel into the page and starts what runs for as long as the page is open. */
import { render } from 'preact'
import './styles/tokens.css'
import './styles/base.css'
import './styles/shell.css'
import './styles/controls.css'
import './styles/table.css'
import './styles/pages.css'
import './styles/operations.css'
import { App, startPages, startSession } from './shell/app.tsx'
import { startClock } from './shell/clock.ts'
import { startLive } from './shell/live.ts'
import { startRouter } from './shell/router.ts'
import './shell/theme.ts'

async function start(): Promise<void> {
  startClock()
  startRouter()
  const session = startSession()
  await startPages()
  startLive()
  render(<App />, document.getElementById('panel') ?? document.body)
  await session
}

void start()
