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
  [1, row('number', true, 'unassignedNumber', 'Unassigned (unallocated) number')],
  [8, row('line', true, 'operatorBarring', 'Operator determined barring')],
  [10, row('line', true, 'callBarred', 'Call barred')],
  [11, row('line', false, 'reserved', 'Reserved')],
  [17, row('network', false, 'networkFailure', 'Network failure')],
  [21, row('line', false, 'rejected', 'Short message transfer rejected')],
  [22, row('network', false, 'memoryCapacityExceeded', 'Memory capacity exceeded')],
  [27, row('number', false, 'destinationOutOfService', 'Destination out of service')],
  [28, row('number', true, 'unidentifiedSubscriber', 'Unidentified subscriber')],
  [29, row('line', false, 'facilityRejected', 'Facility rejected')],
  [30, row('number', true, 'unknownSubscriber', 'Unknown subscriber')],
  [38, row('network', false, 'networkOutOfOrder', 'Network out of order')],
  [41, row('network', false, 'temporaryFailure', 'Temporary failure')],
  [42, row('network', false, 'congestion', 'Congestion')],
  [47, row('network', false, 'resourcesUnavailable', 'Resources unavailable, unspecified')],
  [50, row('line', true, 'notSubscribed', 'Requested facility not subscribed')],
  [69, row('line', true, 'notImplemented', 'Requested facility not implemented')],
  [81, row('network', false, 'invalidReference', 'Invalid short message transfer reference value')],
  [95, row('number', true, 'invalidMessage', 'Invalid message, unspecified')],
  [96, row('number', true, 'invalidInformation', 'Invalid mandatory information')],
  [97, row('network', false, 'messageTypeUnknown', 'Message type non-existent or not implemented')],
  [98, row('network', false, 'wrongState', 'Message not compatible with short message protocol state')],
  [99, row('network', false, 'elementUnknown', 'Information element non-existent or not implemented')],
  [111, row('network', false, 'protocolError', 'Protocol error, unspecified')],
  [127, row('network', false, 'interworking', 'Interworking, unspecified')],
  [128, row('number', true, 'telematicInterworking', 'Telematic interworking not supported')],
  [129, row('number', true, 'typeZeroUnsupported', 'Short message type 0 not supported')],
  [130, row('number', true, 'cannotReplace', 'Cannot replace short message')],
  [143, row('number', true, 'protocolIdentifier', 'Unspecified TP-PID error')],
  [144, row('number', true, 'codingUnsupported', 'Data coding scheme (alphabet) not supported')],
  [145, row('number', true, 'classUnsupported', 'Message class not supported')],
  [159, row('number', true, 'codingError', 'Unspecified TP-DCS error')],
  [160, row('number', true, 'commandNotActioned', 'Command cannot be actioned')],
  [161, row('number', true, 'commandUnsupported', 'Command unsupported')],
  [175, row('number', true, 'commandError', 'Unspecified TP-Command error')],
  [176, row('number', true, 'pduUnsupported', 'TPDU not supported')],
  [192, row('network', false, 'serviceCentreBusy', 'SC busy')],
  [193, row('line', true, 'noServiceCentreSubscription', 'No SC subscription')],
  [194, row('network', false, 'serviceCentreFailure', 'SC system failure')],
  [195, row('number', true, 'invalidAddress', 'Invalid SME address')],
  [196, row('number', true, 'destinationBarred', 'Destination SME barred')],
  [197, row('number', true, 'duplicateRejected', 'SM rejected: duplicate SM')],
  [198, row('network', false, 'validityFormat', 'TP-VPF not supported')],
  [199, row('network', false, 'validityPeriod', 'TP-VP not supported')],
  [208, row('line', false, 'simStorageFull', '(U)SIM SMS storage full')],
  [209, row('line', false, 'simStorageMissing', 'No SMS storage capability in (U)SIM')],
  [210, row('line', false, 'mobileError', 'Error in MS')],
  [211, row('network', false, 'memoryCapacityExceeded', 'Memory capacity exceeded')],
  [212, row('line', false, 'simToolkitBusy', '(U)SIM application toolkit busy')],
  [213, row('line', false, 'simDataError', '(U)SIM data download error')],
  [255, row('network', false, 'unspecified', 'Unspecified error cause')],
  [300, row('line', false, 'modemFailure', 'ME failure')],
  [301, row('line', false, 'serviceReserved', 'SMS service of ME reserved')],
  [302, row('line', false, 'notAllowed', 'Operation not allowed')],
  [303, row('line', false, 'notSupported', 'Operation not supported')],
  [304, row('number', true, 'invalidPdu', 'Invalid PDU mode parameter')],
  [305, row('line', false, 'invalidTextParameter', 'Invalid text mode parameter')],
  [310, row('line', false, 'simMissing', '(U)SIM not inserted')],
  [311, row('line', false, 'pinWanted', '(U)SIM PIN required')],
  [312, row('line', false, 'phonePinWanted', 'PH-(U)SIM PIN required')],
  [313, row('line', false, 'simFailure', '(U)SIM failure')],
  [314, row('line', false, 'simBusy', '(U)SIM busy')],
  [315, row('line', false, 'simWrong', '(U)SIM wrong')],
  [316, row('line', false, 'pukWanted', '(U)SIM PUK required')],
  [317, row('line', false, 'pinTwoWanted', '(U)SIM PIN2 required')],
  [318, row('line', false, 'pukTwoWanted', '(U)SIM PUK2 required')],
  [320, row('line', false, 'memoryFailure', 'Memory failure')],
  [321, row('line', false, 'memoryIndex', 'Invalid memory index')],
  [322, row('line', false, 'memoryFull', 'Memory full')],
  [330, row('line', false, 'serviceCentreUnknown', 'SMSC address unknown')],
  [331, row('network', false, 'noService', 'No network service')],
  [332, row('network', false, 'networkTimeout', 'Network timeout')],
  [340, row('line', false, 'noAcknowledgement', 'No +CNMA acknowledgement expected')],
  [500, row('network', false, 'unknownError', 'Unknown error')],
])

export const cmeErrors: ReadonlyMap<number, RefusalRow> = new Map([
  [0, row('line', false, 'modemFailure', 'Phone failure')],
  [1, row('line', false, 'noConnection', 'No connection to phone')],
  [2, row('line', false, 'linkReserved', 'Phone-adaptor link reserved')],
  [3, row('line', false, 'notAllowed', 'Operation not allowed')],
  [4, row('line', false, 'notSupported', 'Operation not supported')],
  [5, row('line', false, 'phonePinWanted', 'PH-SIM PIN required')],
  [6, row('line', false, 'phonePinWanted', 'PH-FSIM PIN required')],
  [7, row('line', false, 'pukWanted', 'PH-FSIM PUK required')],
  [10, row('line', false, 'simMissing', 'SIM not inserted')],
  [11, row('line', false, 'pinWanted', 'SIM PIN required')],
  [12, row('line', false, 'pukWanted', 'SIM PUK required')],
  [13, row('line', false, 'simFailure', 'SIM failure')],
  [14, row('line', false, 'simBusy', 'SIM busy')],
  [15, row('line', false, 'simWrong', 'SIM wrong')],
  [16, row('line', false, 'passwordWrong', 'Incorrect password')],
  [17, row('line', false, 'pinTwoWanted', 'SIM PIN2 required')],
  [18, row('line', false, 'pukTwoWanted', 'SIM PUK2 required')],
  [20, row('line', false, 'memoryFull', 'Memory full')],
  [21, row('line', false, 'memoryIndex', 'Invalid index')],
  [22, row('line', false, 'notFound', 'Not found')],
  [23, row('line', false, 'memoryFailure', 'Memory failure')],
  [24, row('number', true, 'textTooLong', 'Text string too long')],
  [25, row('number', true, 'invalidCharacters', 'Invalid characters in text string')],
  [26, row('number', true, 'dialTooLong', 'Dial string too long')],
  [27, row('number', true, 'invalidDial', 'Invalid characters in dial string')],
  [30, row('network', false, 'noService', 'No network service')],
  [31, row('network', false, 'networkTimeout', 'Network timeout')],
  [32, row('network', false, 'emergencyOnly', 'Network not allowed - emergency calls only')],
  [40, row('line', false, 'phonePinWanted', 'Network personalization PIN required')],
  [48, row('line', true, 'hiddenKeyWanted', 'Hidden key required')],
  [50, row('line', false, 'incorrectParameters', 'Incorrect parameters')],
  [100, row('network', false, 'unknownError', 'Unknown')],
])

/** A bare ERROR says nothing: the modem may be starting, or not allow it now. */
export const plainError: RefusalRow = row('line', false, 'modemError', 'The modem answered ERROR')
