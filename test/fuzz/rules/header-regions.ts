/*
 * A plain reader of MIME: finds the header fields of a message, of its parts and of messages within, where they are written
 * in the way that everybody writes them. What it cannot read for sure it does not enter.
 */

const MULTIPART =
  /^content-type:[ \t]*multipart\/(?!digest)[a-z]+;[ \t]*boundary=(?:"([A-Za-z0-9=_]{1,60})"|([A-Za-z0-9_]{1,60}))\r?\n$/i;
const MOST_DEPTH = 8;

/** Every header field (latin1, folded lines and ends included) of a message. */
export function headerFields(message: string, depth = 0): string[] {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    const line = /[^\n]*\n|[^\n]+$/y;
    line.lastIndex = at;
    const [found = ""] = line.exec(message) ?? [];
    at += found.length;
    if (found === "" || found === "\n" || found === "\r\n") break;
    if (/^[ \t]/.test(found) && fields.length > 0) fields[fields.length - 1] += found;
    else fields.push(found);
  }
  return [...fields, ...fieldsWithin(fields, message.slice(at), depth)];
}

function fieldsWithin(fields: readonly string[], body: string, depth: number): string[] {
  const types = fields.filter((field) => /^content-(?:type|transfer-encoding)/i.test(field));
  const [type = ""] = types;
  if (types.length !== 1 || depth === MOST_DEPTH) return [];
  if (/^content-type: message\/rfc822\r?\n$/i.test(type)) return headerFields(body, depth + 1);
  const [, quoted, token] = MULTIPART.exec(type) ?? [];
  const boundary = quoted ?? token;
  if (boundary === undefined) return [];
  const parts = `\n${body}`.split(new RegExp(`\\n--${boundary}\\r?(?=\\n)`));
  // The first is the preamble; behind the last one's close there is no header any more.
  return parts.slice(1).flatMap((part, at) => {
    const closed = at > 0 && parts.slice(0, at + 1).some((each) => each.includes(`\n--${boundary}--`));
    return closed ? [] : headerFields(part.slice(1).split(`\n--${boundary}--`, 1)[0] ?? "", depth + 1);
  });
}
