/** The header field that every mail of an appliance carries: an SMS intake that sees it refuses the mail, or it would go round. */
export const OWN_MAIL = 'X-Twinline'
