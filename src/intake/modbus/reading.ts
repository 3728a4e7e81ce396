/** Registers to numbers: width, sign, order of words, scale. Pure. Big-endian bytes as Modbus V1.1b3 4.2 says. */
import type { ModbusPollConfig, ModbusType } from '#config/modbus.ts'

export const registersOf = (type: ModbusType): 1 | 2 =>
  type === 'int32' || type === 'uint32' || type === 'float32' ? 2 : 1

/**
 * @param registers as many 16-bit words as registersOf() says
 * @returns undefined when the device answered with something that is no number (NaN, infinity)
 */
export function readingOf(
  registers: readonly number[],
  { type, words, scale }: Pick<ModbusPollConfig, 'type' | 'words' | 'scale'>,
): number | undefined {
  const bytes = new DataView(new ArrayBuffer(4))
  const ordered = words === 'little' ? [...registers].reverse() : registers
  for (const [n, word] of ordered.slice(0, 2).entries()) bytes.setUint16(n * 2, word)
  const raw = rawOf(bytes, type)
  // 451 × 0.1 is 45.1 to people, not 45.1 and a sixteenth digit; float32 has seven digits, int32 ten.
  const value = Number((raw * scale).toPrecision(type === 'float32' ? 7 : 12))
  return Number.isFinite(value) ? value : undefined
}

function rawOf(bytes: DataView, type: ModbusType): number {
  switch (type) {
    case 'bit':
    case 'uint16':
      return bytes.getUint16(0)
    case 'int16':
      return bytes.getInt16(0)
    case 'int32':
      return bytes.getInt32(0)
    case 'uint32':
      return bytes.getUint32(0)
    case 'float32':
      return bytes.getFloat32(0)
  }
}

/** Puts `{id}` and `{value}` into a text. */
export const fill = (text: string, values: Record<string, string>): string =>
  text.replace(/\{([a-z]+)\}/g, (whole, name: string) => values[name] ?? whole)
