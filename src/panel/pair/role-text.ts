/** The role of a member in the words of operators, which stand once, in the shell's dictionary. */
import { words as shell } from '../components/words.ts'

/** @param standing a role, or `stopped`, `silent`, `unknown` */
export const roleText = (standing: string): string =>
  shell.maybe(`role.${standing === 'stopped' ? 'away' : standing}`) ?? standing
