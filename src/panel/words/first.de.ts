/** The German words that every page needs, in one file; with them the sentences that members write, in both languages. */
import problems from './problems.de.json'
import said from './said.de.json'
import written from './said.en.json'
import shell from './shell.de.json'

export const first = { problems, said, written, shell }
