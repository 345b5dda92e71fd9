/** Says something once to those who cannot see it: the page's one polite live region. */
export function announce(text: string): void {
  const region = document.getElementById('live');
  if (region) region.textContent = text;
}
