/** Which services a modem says that it has, in its answer to AT+FCLASS=? (T.31, 8.2; T.32, 8.2): `0,1,2.0` or `(0,1,2)`. */

/** The values as they are written, 0 (data) and 8 (voice) among them. */
export const listedClasses = (answer: readonly string[]): string[] =>
  answer
    .join(',')
    .replaceAll(/\+FCLASS:|[() "]/g, '')
    .split(',')
    .filter((value) => value !== '')
