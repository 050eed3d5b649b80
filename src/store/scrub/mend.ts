import type { BodyId, MailboxId, SegmentId } from "../../model/ids.ts";
import type { MessageRow, Tables } from "../sql/tables.ts";

/** How the counters of a mailbox differ from its rows: added to them. */
export type CounterDifference = Pick<
  Tables["mailbox"],
  "messages" | "octets" | "octets_downgraded" | "removed_messages" | "removed_octets"
>;

/**
 * What the writer can mend, each in one transaction. Figures are mended by their difference: whatever comes and goes between
 * the look and the mending changes figure and rows alike.
 */
export type Mend =
  | {
      readonly kind: "counters";
      readonly mailbox: MailboxId;
      readonly by: CounterDifference;
      /** What the next uid is at least. */
      readonly nextUid: number;
    }
  | { readonly kind: "references"; readonly body: BodyId; readonly by: number }
  | { readonly kind: "live"; readonly segment: SegmentId; readonly by: number }
  /** A row of which one bit was flipped, as it was found and as it was written. */
  | { readonly kind: "row"; readonly found: MessageRow; readonly written: MessageRow }
  | { readonly kind: "body-row"; readonly found: Tables["body"]; readonly written: Tables["body"] }
  /** A file of a body that has no row. */
  | { readonly kind: "file"; readonly body: BodyId };
