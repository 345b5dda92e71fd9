/** Names from files are untrusted: control characters become pictures (␀ …), and what is longer than `limit` is cut in the middle. */
export function visibleName(name: string, limit = 300): string {
  const cut = name.length > limit ? `${name.slice(0, limit * 0.6)}…${name.slice(-limit * 0.4 + 1)}` : name;
  return cut.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, picture);
}

function picture(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? '\u2421' : '\ufffd';
}
