/** Channel bindings that SCRAM may use (RFC 9266, RFC 5929 §4). */
export type BindingType = "tls-exporter" | "tls-server-end-point";

/** What mechanisms may know of the connection under them. */
export type Channel = {
  /** Whether nobody on the way can read: TLS here, or at a proxy that is trusted. */
  readonly secure: boolean;
  /** The data of a binding to our own TLS; undefined: it cannot be had on this connection. */
  binding(type: BindingType): Uint8Array | undefined;
  /** Whether the client showed a certificate of the configured authority. */
  readonly clientCertificate: boolean;
};

/** A connection without TLS. */
export const CLEAR_CHANNEL: Channel = { secure: false, binding: () => undefined, clientCertificate: false };

/** What a client is told that showed no good token (RFC 7628 §3.2.2): what to ask for, and of whom. */
export type BearerHint = { readonly scope?: string; readonly openidConfiguration?: string };

/** What the configuration and the accounts allow to be announced; asked at each CAPA and AUTH. */
export type MechanismPolicy = {
  /** Whether a login may cross the network in clear text (rule TLS-04). */
  readonly allowCleartext: boolean;
  readonly scram: boolean;
  /** SCRAM with SHA-1, for clients that know no better. */
  readonly scramSha1: boolean;
  /**
   * Whether SCRAM bound to its channel is taken and not announced: GNU SASL picks it wherever it is announced, also for
   * programs that cannot bind, such as mutt, and these then never get in (docs/adr/0015).
   */
  readonly bindingUnannounced?: boolean;
  readonly oauth: boolean;
  /** Where all tokens come from one provider. */
  readonly bearerHint?: BearerHint | undefined;
  readonly clientCertificates: boolean;
};
