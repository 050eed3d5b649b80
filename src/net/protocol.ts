/** The protocols a listener may speak, as the metrics' label knows them. */
export type ProtocolName = "pop3" | "smtp" | "submission" | "lmtp";
