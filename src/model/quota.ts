/** What a mailbox's owner may hold, INBOX and Junk together (INTERFACE "Names of people"). */
export type Quota = { readonly octets: number; readonly messages: number };

/** What is held. */
export type Usage = { readonly octets: number; readonly messages: number };

/** Whether one more message of so many octets still fits; RCPT asks with 0 octets. */
export function fits(usage: Usage, quota: Quota, octets: number): boolean {
  return usage.messages < quota.messages && usage.octets < quota.octets && usage.octets + octets <= quota.octets;
}
