/** The entry of the browser code: puts the panel into the page. */
import { render } from 'preact'

render(<main>twinline</main>, document.body)
