/** Digests of a body, taken at delivery over the octets as they are sent. */
export type Digests = {
  readonly octets: number;
  readonly crc32: number;
  /** 32 octets. */
  readonly sha256: Uint8Array;
  /** Whether any line starts with a dot. */
  readonly dotted: boolean;
};

/**
 * Octets left free in front of a body held in memory: the store writes its head there, so that head and body go out in
 * one write.
 */
export const BODY_HEAD_OCTETS = 64;

/** A body ready to be stored: in a buffer that the store may take over, or in a spool file that was synced. */
export type ReadyBody = Digests &
  (
    | {
        readonly kind: "memory";
        /** Moves to the store thread; unusable here afterwards. */
        readonly buffer: ArrayBuffer;
        /** Where the body starts; at least BODY_HEAD_OCTETS. */
        readonly start: number;
      }
    | {
        readonly kind: "file";
        /** Name of the spool file within the spool folder. */
        readonly spool: string;
        /** Where in the file the body starts; at least BODY_HEAD_OCTETS. */
        readonly start: number;
      }
  );
