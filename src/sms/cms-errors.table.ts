/**
 * Why a modem or the network refused a short message, and what that means for the next try. Data only.
 *
 * +CMS ERROR: 3GPP TS 27.005 3.2.5; 0..127 are RP causes (24.011 8.2.5.4, annex E-2), 128..255 TP failure causes
 * (23.040 9.2.3.22), 300..511 the modem's own. +CME ERROR: 27.007 9.2. Above 511 each vendor has codes of its own;
 * without better knowledge they are read as "not now".
 *
 * Scope: `number` this recipient or this text cannot be sent · `line` this SIM or modem cannot send · `network` not
 * now. Permanent: the same try would fail again for as long as nobody changes something.
 */

export interface RefusalRow {
  scope: 'number' | 'line' | 'network'
  permanent: boolean
  code: string
  text: string
}

const row = (scope: RefusalRow['scope'], permanent: boolean, code: string, text: string): RefusalRow => ({
  scope,
  permanent,
  code,
  text,
})

export const cmsErrors: ReadonlyMap<number, RefusalRow> = new Map([
  [1, row('number', true, 'unassigned-number', 'Unassigned (unallocated) number')],
  [8, row('line', true, 'operator-barring', 'Operator determined barring')],
  [10, row('line', true, 'call-barred', 'Call barred')],
  [11, row('line', false, 'reserved', 'Reserved')],
  [17, row('network', false, 'network-failure', 'Network failure')],
  [21, row('line', false, 'rejected', 'Short message transfer rejected')],
  [22, row('network', false, 'memory-capacity-exceeded', 'Memory capacity exceeded')],
  [27, row('number', false, 'destination-out-of-service', 'Destination out of service')],
  [28, row('number', true, 'unidentified-subscriber', 'Unidentified subscriber')],
  [29, row('line', false, 'facility-rejected', 'Facility rejected')],
  [30, row('number', true, 'unknown-subscriber', 'Unknown subscriber')],
  [38, row('network', false, 'network-out-of-order', 'Network out of order')],
  [41, row('network', false, 'temporary-failure', 'Temporary failure')],
  [42, row('network', false, 'congestion', 'Congestion')],
  [47, row('network', false, 'resources-unavailable', 'Resources unavailable, unspecified')],
  [50, row('line', true, 'not-subscribed', 'Requested facility not subscribed')],
  [69, row('line', true, 'not-implemented', 'Requested facility not implemented')],
  [81, row('network', false, 'invalid-reference', 'Invalid short message transfer reference value')],
  [95, row('number', true, 'invalid-message', 'Invalid message, unspecified')],
  [96, row('number', true, 'invalid-information', 'Invalid mandatory information')],
  [97, row('network', false, 'message-type-unknown', 'Message type non-existent or not implemented')],
  [98, row('network', false, 'wrong-state', 'Message not compatible with short message protocol state')],
  [99, row('network', false, 'element-unknown', 'Information element non-existent or not implemented')],
  [111, row('network', false, 'protocol-error', 'Protocol error, unspecified')],
  [127, row('network', false, 'interworking', 'Interworking, unspecified')],
  [128, row('number', true, 'telematic-interworking', 'Telematic interworking not supported')],
  [129, row('number', true, 'type-zero-unsupported', 'Short message type 0 not supported')],
  [130, row('number', true, 'cannot-replace', 'Cannot replace short message')],
  [143, row('number', true, 'protocol-identifier', 'Unspecified TP-PID error')],
  [144, row('number', true, 'coding-unsupported', 'Data coding scheme (alphabet) not supported')],
  [145, row('number', true, 'class-unsupported', 'Message class not supported')],
  [159, row('number', true, 'coding-error', 'Unspecified TP-DCS error')],
  [160, row('number', true, 'command-not-actioned', 'Command cannot be actioned')],
  [161, row('number', true, 'command-unsupported', 'Command unsupported')],
  [175, row('number', true, 'command-error', 'Unspecified TP-Command error')],
  [176, row('number', true, 'pdu-unsupported', 'TPDU not supported')],
  [192, row('network', false, 'service-centre-busy', 'SC busy')],
  [193, row('line', true, 'no-service-centre-subscription', 'No SC subscription')],
  [194, row('network', false, 'service-centre-failure', 'SC system failure')],
  [195, row('number', true, 'invalid-address', 'Invalid SME address')],
  [196, row('number', true, 'destination-barred', 'Destination SME barred')],
  [197, row('number', true, 'duplicate-rejected', 'SM rejected: duplicate SM')],
  [198, row('network', false, 'validity-format', 'TP-VPF not supported')],
  [199, row('network', false, 'validity-period', 'TP-VP not supported')],
  [208, row('line', false, 'sim-storage-full', '(U)SIM SMS storage full')],
  [209, row('line', false, 'sim-storage-missing', 'No SMS storage capability in (U)SIM')],
  [210, row('line', false, 'mobile-error', 'Error in MS')],
  [211, row('network', false, 'memory-capacity-exceeded', 'Memory capacity exceeded')],
  [212, row('line', false, 'sim-toolkit-busy', '(U)SIM application toolkit busy')],
  [213, row('line', false, 'sim-data-error', '(U)SIM data download error')],
  [255, row('network', false, 'unspecified', 'Unspecified error cause')],
  [300, row('line', false, 'modem-failure', 'ME failure')],
  [301, row('line', false, 'service-reserved', 'SMS service of ME reserved')],
  [302, row('line', false, 'not-allowed', 'Operation not allowed')],
  [303, row('line', false, 'not-supported', 'Operation not supported')],
  [304, row('number', true, 'invalid-pdu', 'Invalid PDU mode parameter')],
  [305, row('line', false, 'invalid-text-parameter', 'Invalid text mode parameter')],
  [310, row('line', false, 'sim-missing', '(U)SIM not inserted')],
  [311, row('line', false, 'pin-wanted', '(U)SIM PIN required')],
  [312, row('line', false, 'phone-pin-wanted', 'PH-(U)SIM PIN required')],
  [313, row('line', false, 'sim-failure', '(U)SIM failure')],
  [314, row('line', false, 'sim-busy', '(U)SIM busy')],
  [315, row('line', false, 'sim-wrong', '(U)SIM wrong')],
  [316, row('line', false, 'puk-wanted', '(U)SIM PUK required')],
  [317, row('line', false, 'pin-two-wanted', '(U)SIM PIN2 required')],
  [318, row('line', false, 'puk-two-wanted', '(U)SIM PUK2 required')],
  [320, row('line', false, 'memory-failure', 'Memory failure')],
  [321, row('line', false, 'memory-index', 'Invalid memory index')],
  [322, row('line', false, 'memory-full', 'Memory full')],
  [330, row('line', false, 'service-centre-unknown', 'SMSC address unknown')],
  [331, row('network', false, 'no-service', 'No network service')],
  [332, row('network', false, 'network-timeout', 'Network timeout')],
  [340, row('line', false, 'no-acknowledgement', 'No +CNMA acknowledgement expected')],
  [500, row('network', false, 'unknown-error', 'Unknown error')],
])

export const cmeErrors: ReadonlyMap<number, RefusalRow> = new Map([
  [0, row('line', false, 'modem-failure', 'Phone failure')],
  [1, row('line', false, 'no-connection', 'No connection to phone')],
  [2, row('line', false, 'link-reserved', 'Phone-adaptor link reserved')],
  [3, row('line', false, 'not-allowed', 'Operation not allowed')],
  [4, row('line', false, 'not-supported', 'Operation not supported')],
  [5, row('line', false, 'phone-pin-wanted', 'PH-SIM PIN required')],
  [6, row('line', false, 'phone-pin-wanted', 'PH-FSIM PIN required')],
  [7, row('line', false, 'puk-wanted', 'PH-FSIM PUK required')],
  [10, row('line', false, 'sim-missing', 'SIM not inserted')],
  [11, row('line', false, 'pin-wanted', 'SIM PIN required')],
  [12, row('line', false, 'puk-wanted', 'SIM PUK required')],
  [13, row('line', false, 'sim-failure', 'SIM failure')],
  [14, row('line', false, 'sim-busy', 'SIM busy')],
  [15, row('line', false, 'sim-wrong', 'SIM wrong')],
  [16, row('line', false, 'password-wrong', 'Incorrect password')],
  [17, row('line', false, 'pin-two-wanted', 'SIM PIN2 required')],
  [18, row('line', false, 'puk-two-wanted', 'SIM PUK2 required')],
  [20, row('line', false, 'memory-full', 'Memory full')],
  [21, row('line', false, 'memory-index', 'Invalid index')],
  [22, row('line', false, 'not-found', 'Not found')],
  [23, row('line', false, 'memory-failure', 'Memory failure')],
  [24, row('number', true, 'text-too-long', 'Text string too long')],
  [25, row('number', true, 'invalid-characters', 'Invalid characters in text string')],
  [26, row('number', true, 'dial-too-long', 'Dial string too long')],
  [27, row('number', true, 'invalid-dial', 'Invalid characters in dial string')],
  [30, row('network', false, 'no-service', 'No network service')],
  [31, row('network', false, 'network-timeout', 'Network timeout')],
  [32, row('network', false, 'emergency-only', 'Network not allowed - emergency calls only')],
  [40, row('line', false, 'phone-pin-wanted', 'Network personalization PIN required')],
  [48, row('line', true, 'hidden-key-wanted', 'Hidden key required')],
  [50, row('line', false, 'incorrect-parameters', 'Incorrect parameters')],
  [100, row('network', false, 'unknown-error', 'Unknown')],
])

/** A bare ERROR says nothing: the modem may be starting, or not allow it now. */
export const plainError: RefusalRow = row('line', false, 'modem-error', 'The modem answered ERROR')
