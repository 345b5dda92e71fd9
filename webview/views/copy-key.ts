/**
 * Ctrl+C (Cmd+C). The "copy" event would not do: where no text is marked, it goes to the body and not to what has the focus,
 * and VS Code's own copy command does not send one.
 */
export const isCopyKey = (event: KeyboardEvent): boolean =>
  event.key.toLowerCase() === 'c' && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey;
