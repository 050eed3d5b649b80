import type { Random } from "../e2e/harness/random.ts";

// Larger cases take longer and find no more; a stretch of it goes where there is more.
const MOST_OCTETS = 6000;
const FLOODS = [64, 107, 108, 254, 255, 256, 511, 512, 998, 1000, 2048, 4096];

/** Changes octets (latin1) in one place, in a way that parsers do not expect; `words`: what means something to this one. */
export function mutateOctets(octets: string, other: string, words: readonly string[], random: Random): string {
  const changed = change(octets, other, words, random);
  if (changed.length <= MOST_OCTETS || random.between(0, 99) === 0) return changed;
  const from = random.between(0, changed.length - MOST_OCTETS / 2);
  return changed.slice(0, from) + changed.slice(from + changed.length - MOST_OCTETS / 2);
}

function change(octets: string, other: string, words: readonly string[], random: Random): string {
  const at = random.between(0, octets.length);
  const to = Math.min(octets.length, at + random.between(1, random.pick([1, 2, 8, 64])));
  const [before, within, behind] = [octets.slice(0, at), octets.slice(at, to), octets.slice(to)];
  const roll = random.between(0, 12);
  switch (roll) {
    case 0:
      return before + behind;
    case 1:
      return before + within + within + behind;
    case 2:
      return before + anyOctet(random) + octets.slice(at + 1);
    case 3:
      return before + anyOctet(random) + octets.slice(at);
    case 4:
    case 5:
    case 6:
      return before + random.pick(words) + octets.slice(at);
    case 7:
      return before + random.pick(words) + behind;
    case 8:
      return before + stretchOf(other, random) + octets.slice(at);
    case 9:
      return before + random.pick(["\r", "\n", "\r\n", "\0", ".", "\n.", "\r\n.", "\r\n.\r\n"]) + behind;
    case 10:
      return before + (octets[at] ?? anyOctet(random)).repeat(random.pick(FLOODS)) + octets.slice(at);
    case 11:
      return before;
    default:
      return flipBit(octets, at, random);
  }
}

/** One octet, more often one that ends or begins something. */
export function anyOctet(random: Random): string {
  const special = '\0\x01\t\r\n .,:;="\\<>()@-\x7f\x80\xa0\xc3\xdf\xff';
  if (random.between(0, 1) === 0) return special[random.between(0, special.length - 1)] ?? "\0";
  return String.fromCharCode(random.between(0, 255));
}

/** Octets cut into pieces at places that the random numbers say. */
export function cutOctets(octets: string, random: Random): string[] {
  const most = random.pick([1, 2, 3, 7, 30, 500]);
  // A cut at each octet of something large costs much and says little.
  const least = octets.length > 20_000 ? 40 : 1;
  const pieces: string[] = [];
  for (let at = 0; at < octets.length;) {
    const end = at + Math.max(least, random.between(1, most));
    pieces.push(octets.slice(at, end));
    at = end;
  }
  return pieces;
}

/** Octets with ever smaller stretches of them taken out. */
export function* smallerOctets(octets: string): Iterable<string> {
  for (let size = octets.length; size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < octets.length; at += size) yield octets.slice(0, at) + octets.slice(at + size);
  }
}

function stretchOf(octets: string, random: Random): string {
  const at = random.between(0, octets.length);
  return octets.slice(at, at + random.between(1, 200));
}

function flipBit(octets: string, at: number, random: Random): string {
  const octet = octets.charCodeAt(at);
  if (Number.isNaN(octet)) return octets;
  return octets.slice(0, at) + String.fromCharCode(octet ^ (1 << random.between(0, 7))) + octets.slice(at + 1);
}
