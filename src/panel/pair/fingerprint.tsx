/** The fingerprint of a member's certificate, in groups that two people can compare on the telephone. */
import { fingerprintGroups } from './code.ts'

export function Fingerprint({ value }: { value: string }) {
  return (
    <p class="fingerprint figures" translate={false}>
      {fingerprintGroups(value).map((group, index) => (
        <span key={`${index} ${group}`}>{group}</span>
      ))}
    </p>
  )
}
