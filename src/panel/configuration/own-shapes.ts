/** The bodies about an appliance's own file, derived from the schemas that the appliance checks them by. */
export type { OwnApplied, OwnChecked, OwnConfiguration, OwnHistory } from '#intake/http/own-schemas.ts'
