import type { FrameLocator } from 'playwright-core';

/** A call to the host as the page in `frame` makes it, over the page's own channel. Resolves to the answer, or the failure. */
export async function callHost(frame: FrameLocator, method: string, ...args: unknown[]): Promise<unknown> {
  const given = JSON.stringify({ kind: 'call', method, args, progress: false });
  // Text, because this program has no types of the DOM. A panel's page may take hold of the channel more than once.
  return (await frame.locator('body').elementHandle())!.ownerFrame().then(inner =>
    inner!.evaluate(`new Promise(resolve => {
      const id = 'test-' + Math.random();
      const listen = ({ data }) => {
        if (data?.kind !== 'reply' || data.id !== id) return;
        window.removeEventListener('message', listen);
        resolve(data.ok ? data.value : { failure: data.failure });
      };
      window.addEventListener('message', listen);
      acquireVsCodeApi().postMessage({ ...${given}, id });
    })`),
  );
}
