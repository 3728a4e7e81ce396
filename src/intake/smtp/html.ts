/**
 * HTML mail into plain text, for mail that has no other body (Alertmanager's has only text/html). Pure, one pass in
 * linear time whatever comes: mail is written by strangers. Layout becomes line breaks; scripts, styles, comments and
 * the addresses behind links go.
 */

/** Elements that begin and end a line (HTML Living Standard, 15.3 Rendering, display: block, list-item and table-row). */
const lines = new Set(
  'address article aside blockquote body center dd div dl dt fieldset figure footer form h1 h2 h3 h4 h5 h6 header hr html li main nav ol p pre section table tbody tfoot thead tr ul'.split(
    ' ',
  ),
)
/** Elements whose content is not shown. */
const hidden = new Set(['script', 'style', 'head', 'title', 'template', 'noscript'])

/** What mail programs name instead of writing it (HTML Living Standard, 13.5), name and character in turn. */
const characters = `
  amp & lt < gt > quot " apos ' auml ä ouml ö uuml ü Auml Ä Ouml Ö Uuml Ü szlig ß agrave à aacute á acirc â
  atilde ã aring å aelig æ ccedil ç egrave è eacute é ecirc ê euml ë igrave ì iacute í icirc î iuml ï
  ntilde ñ ograve ò oacute ó ocirc ô otilde õ oslash ø ugrave ù uacute ú ucirc û Agrave À Aacute Á Aring Å
  AElig Æ Ccedil Ç Egrave È Eacute É Ntilde Ñ Oslash Ø copy © reg ® trade ™ deg ° plusmn ± sup2 ² sup3 ³
  micro µ middot · sect § euro € pound £ yen ¥ cent ¢ times × divide ÷ frac12 ½ frac14 ¼ frac34 ¾ ndash –
  mdash — lsquo ‘ rsquo ’ sbquo ‚ ldquo “ rdquo ” bdquo „ laquo « raquo » bull • hellip … larr ← uarr ↑
  rarr → darr ↓ le ≤ ge ≥ ne ≠ infin ∞ iexcl ¡ iquest ¿`
const named = new Map(
  [...characters.matchAll(/(\w+) (\S)/g)].map(([, name = '', character = '']) => [name, character]),
)
for (const name of ['nbsp', 'ensp', 'emsp', 'thinsp']) named.set(name, ' ')

export function htmlToText(html: string): string {
  const out: string[] = []
  /** The element whose content is being left out. */
  let within: string | undefined
  let at = 0
  // Once none is found, none comes later: without remembering that, many openings would make it quadratic.
  let noMoreComments = false
  while (at < html.length) {
    const open = html.indexOf('<', at)
    const text = html.slice(at, open < 0 ? html.length : open)
    if (within === undefined) out.push(text.replace(/\s+/g, ' '))
    if (open < 0) break
    if (html.startsWith('<!--', open)) {
      const end: number = noMoreComments ? -1 : html.indexOf('-->', open + 4)
      noMoreComments = end < 0
      at = end < 0 ? open + 4 : end + 3
      continue
    }
    const tag: Tag | undefined = tagAt(html, open)
    if (tag === undefined) {
      if (within === undefined) out.push('<')
      at = open + 1
      continue
    }
    at = tag.end
    if (within !== undefined) {
      if (tag.closes && tag.name === within) within = undefined
    } else if (hidden.has(tag.name)) {
      if (!tag.closes) within = tag.name
    } else if (tag.name === 'br' || lines.has(tag.name)) {
      out.push(tag.name === 'li' && !tag.closes ? '\n- ' : '\n')
    } else if (tag.name === 'td' || tag.name === 'th') out.push(' ')
  }
  return decode(out.join(''))
    .split('\n')
    .map((line) => line.replace(/ +/g, ' ').trim())
    .filter((line) => line !== '' && line !== '-')
    .join('\n')
}

const LONGEST_TAG = 10_000

interface Tag {
  name: string
  closes: boolean
  /** Where it is over. */
  end: number
}

/** A tag from here, or undefined when this is only a sign that looks like one. */
function tagAt(html: string, open: number): Tag | undefined {
  const closes = html[open + 1] === '/'
  const [name] = /^[a-z][a-z0-9:-]{0,30}|^[!?]/i.exec(html.slice(open + (closes ? 2 : 1), open + 34)) ?? []
  if (name === undefined) return undefined
  const end = html.slice(open, open + LONGEST_TAG).indexOf('>')
  return end < 0 ? undefined : { name: name.toLowerCase(), closes, end: open + end + 1 }
}

function decode(text: string): string {
  return text.replace(
    /&(?:#([0-9]{1,7})|#x([0-9a-f]{1,6})|([a-z][a-z0-9]{1,8}));?/gi,
    (whole, decimal, hex, name) => {
      if (name !== undefined) return named.get(name) ?? whole
      const point = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal)
      return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : '\ufffd'
    },
  )
}
