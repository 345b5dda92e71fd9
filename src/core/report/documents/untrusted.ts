/** The longest name a document prints whole; a longer one keeps its ends. A name in the wild stays under 200. */
const longest = 240;

/** A name from a file as one visible line: control characters as their pictures, marks that turn the reading direction as their code points. */
export function visible(name: string): string {
  const short = name.length <= longest ? name : `${name.slice(0, longest / 2)}…${name.slice(-longest / 2)}`;
  return short
    .replace(/[\u0000-\u001f]/g, char => String.fromCodePoint(0x2400 + char.charCodeAt(0)))
    .replace(/\u007f/g, '\u2421')
    .replace(
      /[\u0080-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
      char => `⟨U+${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}⟩`,
    );
}
