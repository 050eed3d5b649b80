const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

// The blocks whose characters are East Asian Wide or Fullwidth (Unicode Standard Annex 11), joined where what lies
// between is unassigned.
const WIDE = new RegExp(
  "[\u1100-\u115F\u2E80-\u303E\u3041-\u33FF\u3400-\u4DBF\u4E00-\u9FFF\uA000-\uA4CF\uA960-\uA97F\uAC00-\uD7A3" +
    "\uF900-\uFAFF\uFE10-\uFE19\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6\u{1B000}-\u{1B2FF}\u{20000}-\u{3FFFD}]",
  "u",
);

/** How many columns of a terminal a text takes: two for Chinese and emoji, none for what only marks. */
export function displayWidth(text: string): number {
  // Most cells: taking a text apart costs a hundred times as much, and lists have a hundred thousand of them.
  if (/^[ -~]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) {
    if (/^[\p{Mn}\p{Me}\p{Cf}\p{Cc}]+$/u.test(segment)) continue;
    width += WIDE.test(segment) || /\p{Emoji_Presentation}|\uFE0F/u.test(segment) ? 2 : 1;
  }
  return width;
}

/** Fills a text with blanks to so many columns. */
export function padEnd(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - displayWidth(text)));
}

/** Puts blanks before a text so that it takes so many columns. */
export function padStart(text: string, columns: number): string {
  return " ".repeat(Math.max(0, columns - displayWidth(text))) + text;
}
