/**
 * The messages of one maildrop as a session sees them, in order of arrival; message number n (RFC 1939 §3) is index
 * n − 1. Packed, because a maildrop may hold a million.
 */
export type Listing = {
  readonly messages: number;
  readonly uids: Uint32Array;
  /** Octets of each message as sent, CRLF line ends, before byte-stuffing (rule 1939-10). */
  readonly octets: Uint32Array;
  /** The 32 random bits of each message's UIDL. */
  readonly tags: Uint32Array;
  /** UIDLs that override the made ones (imported mail), by index. */
  readonly names: ReadonlyMap<number, string>;
};
