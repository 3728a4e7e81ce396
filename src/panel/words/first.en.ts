/** The English words that every page needs, in one file. */
import problems from './problems.en.json'
import shell from './shell.en.json'

export const first = { problems, shell }
