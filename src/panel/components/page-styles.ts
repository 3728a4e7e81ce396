/**
 * The styles of what the front page and the login do not have, in the order in which they win over each other. Outside
 * of main.tsx a style sheet travels with the code that imports it (.ci/build-panel.mjs): this file comes with the
 * components that every other page loads.
 */
import '../styles/table.css'
import '../styles/pages.css'
import '../styles/operations.css'
