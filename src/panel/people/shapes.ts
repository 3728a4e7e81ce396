/** The bodies of the interface that the pages of people read, derived from the schemas that the appliance checks them by. */
import type { contactList, groupList, importReport } from '#intake/http/contact-schemas.ts'
import type { LdapView } from '#intake/http/ldap-schemas.ts'
import type { Shape } from '#intake/http/schemas.ts'
import type { createdToken, tokenList } from '#intake/http/token-schemas.ts'

export type { NewUser, User, UserChange, UserList } from '#intake/http/panel-schemas.ts'
export type TokenList = Shape<typeof tokenList>
export type TokenView = TokenList['items'][number]
export type CreatedToken = Shape<typeof createdToken>
export type ContactList = Shape<typeof contactList>
export type ContactView = ContactList['items'][number]
export type GroupList = Shape<typeof groupList>
export type GroupView = GroupList['items'][number]
export type ImportReport = Shape<typeof importReport>
export type { LdapView }
export type LdapRun = NonNullable<LdapView['last']>
export type LdapRefusal = LdapRun['refusals'][number]
