import type { ProgressEvent } from '../protocol/messages.ts';

interface WithProgress {
  readonly progress?: ((event: ProgressEvent) => void) | undefined;
}

/** The same options, reporting progress at most once in `intervalMs`, and always when the work moves on to something else. */
export function throttled<Options extends WithProgress>(options: Options | undefined, intervalMs: number): Options | undefined {
  const progress = options?.progress;
  if (!options || !progress) return options;
  let last = { at: Number.NEGATIVE_INFINITY, what: '' };
  const report = (event: ProgressEvent): void => {
    const now = performance.now();
    if (event.what === last.what && now - last.at < intervalMs) return;
    last = { at: now, what: event.what };
    progress(event);
  };
  return { ...options, progress: report };
}
