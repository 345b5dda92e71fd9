/** Names as long as this are compared byte by byte; longer ones are rarely names. */
const longest = 128;
/** A value's name stands where it is made and where it is read, a tensor's further apart. */
const size = 1 << 16;

/**
 * Texts of a file that were just read: a name that comes again is the string that is there already. It saves a third of the time and the
 * memory of a graph's names, and makes every look-up by name a comparison of pointers.
 */
export class RecentTexts {
  readonly #texts: (string | undefined)[] = new Array(size);

  /** The text in bytes [start, end): UTF-8. */
  read(bytes: Buffer, start: number, end: number): string {
    if (end - start > longest) return bytes.toString('utf8', start, end);
    let hash = 0;
    for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + bytes[at]!) | 0;
    const slot = (hash ^ (hash >>> 16)) & (size - 1);
    const known = this.#texts[slot];
    if (known !== undefined && isText(known, bytes, start, end)) return known;
    const text = bytes.toString('utf8', start, end);
    this.#texts[slot] = text;
    return text;
  }
}

/** Bytes of ASCII are the text's own characters; what is not ASCII never equals them, and is read again. */
function isText(text: string, bytes: Buffer, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte > 127 || byte !== text.charCodeAt(at - start)) return false;
  }
  return true;
}
