/** A moment as a person reads it, in the zone of the machine: `2026-11-24 22:13`. */
export function formatDate(moment: string | number): string {
  const date = new Date(moment);
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = [String(date.getFullYear()).padStart(4, "0"), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** The same to the second: `2026-11-24 22:13:05`. */
export function formatTime(moment: string | number): string {
  return `${formatDate(moment)}:${String(new Date(moment).getSeconds()).padStart(2, "0")}`;
}
