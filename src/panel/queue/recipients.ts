/** Recipients as people type them: one a line, or with commas or semicolons between; spaces belong to a number. */

export const recipientsIn = (text: string): string[] =>
  text
    .split(/[\n,;]/)
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => (/^[+0-9][0-9 ()./-]*$/.test(part) ? part.replace(/[ ()./-]/g, '') : part))
