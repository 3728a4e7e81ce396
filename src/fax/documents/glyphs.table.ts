/**
 * Names of the glyphs of a text, as PostScript fonts have them (Adobe Glyph List 2.0), for the scripts that the Courier
 * of every Ghostscript has: Latin with its accents, Greek, Cyrillic, the usual signs and frames. Pure.
 */

/** Accents as Unicode takes them apart (NFD), and what they add to the letter's name. */
const accents: Readonly<Record<string, string>> = {
  '\u0300': 'grave',
  '\u0301': 'acute',
  '\u0302': 'circumflex',
  '\u0303': 'tilde',
  '\u0304': 'macron',
  '\u0306': 'breve',
  '\u0307': 'dotaccent',
  '\u0308': 'dieresis',
  '\u030a': 'ring',
  '\u030b': 'hungarumlaut',
  '\u030c': 'caron',
  '\u0326': 'commaaccent',
  '\u0327': 'cedilla',
  '\u0328': 'ogonek',
}

const pairs = (text: string): [string, string][] =>
  text
    .trim()
    .split(/\s+/)
    .map((pair) => [pair.slice(0, [...pair][0]?.length), pair.slice(([...pair][0]?.length ?? 0) + 1)])

/** Signs and letters that are not a letter with an accent. */
const names: ReadonlyMap<string, string> = new Map([
  ['\u00a0', 'space'],
  ['\u00ad', 'hyphen'],
  ...pairs(`
    ¡=exclamdown ¢=cent £=sterling ¤=currency ¥=yen ¦=brokenbar §=section ¨=dieresis ©=copyright ª=ordfeminine
    «=guillemotleft ¬=logicalnot ®=registered ¯=macron °=degree ±=plusminus ²=twosuperior ³=threesuperior ´=acute µ=mu
    ¶=paragraph ·=periodcentered ¸=cedilla ¹=onesuperior º=ordmasculine »=guillemotright ¼=onequarter ½=onehalf
    ¾=threequarters ¿=questiondown ×=multiply ÷=divide ƒ=florin
    Æ=AE æ=ae Ø=Oslash ø=oslash ß=germandbls Ð=Eth ð=eth Þ=Thorn þ=thorn Đ=Dcroat đ=dcroat Ħ=Hbar ħ=hbar ı=dotlessi
    Ŀ=Ldot ŀ=ldot Ł=Lslash ł=lslash ŉ=napostrophe Ŋ=Eng ŋ=eng Œ=OE œ=oe Ŧ=Tbar ŧ=tbar ĸ=kgreenlandic ſ=longs
    Ĳ=IJ ĳ=ij
    –=endash —=emdash ‘=quoteleft ’=quoteright ‚=quotesinglbase “=quotedblleft ”=quotedblright „=quotedblbase
    †=dagger ‡=daggerdbl •=bullet …=ellipsis ‰=perthousand ′=minute ″=second ‹=guilsinglleft ›=guilsinglright €=Euro
    ™=trademark №=afii61352 ←=arrowleft ↑=arrowup →=arrowright ↓=arrowdown ↔=arrowboth ⇒=arrowdblright ∂=partialdiff
    ∆=delta ∏=product ∑=summation −=minus √=radical ∞=infinity ∫=integral ≈=approxequal ≠=notequal ≤=lessequal
    ≥=greaterequal ◊=lozenge ■=filledbox ●=H18533 ○=circle ♦=diamond ♥=heart ♠=spade ♣=club
    Α=Alpha Β=Beta Γ=Gamma Δ=uni0394 Ε=Epsilon Ζ=Zeta Η=Eta Θ=Theta Ι=Iota Κ=Kappa Λ=Lambda Μ=Mu Ν=Nu Ξ=Xi
    Ο=Omicron Π=Pi Ρ=Rho Σ=Sigma Τ=Tau Υ=Upsilon Φ=Phi Χ=Chi Ψ=Psi Ω=uni03A9
    α=alpha β=beta γ=gamma δ=delta ε=epsilon ζ=zeta η=eta θ=theta ι=iota κ=kappa λ=lambda μ=uni03BC ν=nu ξ=xi
    ο=omicron π=pi ρ=rho ς=uni03C2 σ=sigma τ=tau υ=upsilon φ=phi χ=chi ψ=psi ω=omega
    Ά=Alphatonos Έ=Epsilontonos Ή=Etatonos Ί=Iotatonos Ό=Omicrontonos Ύ=Upsilontonos Ώ=Omegatonos Ϊ=Iotadieresis
    Ϋ=Upsilondieresis ά=alphatonos έ=epsilontonos ή=etatonos ί=iotatonos ό=omicrontonos ύ=upsilontonos ώ=omegatonos
    ϊ=iotadieresis ϋ=upsilondieresis ΐ=iotadieresistonos ΰ=upsilondieresistonos
    Ё=afii10023 ё=afii10071 Ґ=afii10050 ґ=afii10098 Ў=afii10062 ў=afii10110 Џ=afii10145 џ=afii10193
    ─=SF100000 │=SF110000 ┌=SF010000 ┐=SF030000 └=SF020000 ┘=SF040000 ├=SF080000 ┤=SF090000 ┬=SF060000 ┴=SF070000
    ┼=SF050000 ═=SF430000 ║=SF240000 ╔=SF390000 ╗=SF250000 ╚=SF380000 ╝=SF260000 ╠=SF420000 ╣=SF230000 ╦=SF410000
    ╩=SF400000 ╬=SF440000 █=block ░=ltshade ▒=shade ▓=dkshade
  `),
])

/** Stretches of Cyrillic: the first letter, the last, and the number of the first one's name (`afii…`). */
const cyrillic: readonly (readonly [number, number, number])[] = [
  [0x410, 0x415, 10017],
  [0x416, 0x42f, 10024],
  [0x430, 0x435, 10065],
  [0x436, 0x44f, 10072],
  [0x402, 0x40c, 10051],
  [0x452, 0x45c, 10099],
]

/** @returns undefined for what Courier has no glyph for */
export function glyphName(character: string): string | undefined {
  const code = character.codePointAt(0) ?? 0
  const known = names.get(character)
  if (known !== undefined) return known
  const stretch = cyrillic.find(([from, to]) => code >= from && code <= to)
  if (stretch) return `afii${stretch[2] + code - stretch[0]}`
  const [letter = '', mark = '', more] = character.normalize('NFD')
  const accent = accents[mark]
  if (more !== undefined || accent === undefined || !/^[A-Za-z]$/.test(letter)) return undefined
  // The comma below these letters is a cedilla to Unicode only.
  const comma = accent === 'cedilla' && /[GKLNRTgklnrt]/.test(letter)
  return `${letter}${comma ? 'commaaccent' : accent}`
}
