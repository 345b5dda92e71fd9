export type PageName = 'attention' | 'editor' | 'compress' | 'diff' | 'redundancy';

export interface PageParts {
  readonly page: PageName;
  readonly script: string;
  readonly style: string;
  readonly cspSource: string;
  readonly nonce: string;
  readonly locale: string;
  readonly bundle: Readonly<Record<string, string>>;
  /** What VS Code gives back to a serializer; panels only. */
  readonly kept?: object;
}

/** No model data is in it: that comes by message. */
export function pageHtml({ page, script, style, cspSource, nonce, locale, bundle, kept }: PageParts): string {
  const policy = [
    // Nothing is allowed that is not named below: no network, no frames, no forms, no plugins.
    "default-src 'none'",
    // The page's module, and the script below that keeps the panel's identity.
    `script-src 'nonce-${nonce}' ${cspSource}`,
    // The style sheet beside the module. Scripts may still set single style properties.
    `style-src ${cspSource}`,
    // Fonts that the style sheet refers to.
    `font-src ${cspSource}`,
    // Small pictures in the style sheet.
    `img-src ${cspSource} data:`,
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="${attribute(locale)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${attribute(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Headroom</title>
<link rel="stylesheet" href="${attribute(style)}">
${kept ? `<script nonce="${attribute(nonce)}">${keepScript(kept)}</script>` : ''}
<script type="application/json" id="headroom">${inScript({ page, locale, bundle })}</script>
</head>
<body>
<div id="root"></div>
<script type="module" nonce="${attribute(nonce)}" src="${attribute(script)}"></script>
</body>
</html>`;
}

/**
 * VS Code gives a serializer the page's state and nothing else, so the state carries which files the panel shows, whatever the page
 * keeps in it. acquireVsCodeApi may be called once: the page gets the same object.
 */
function keepScript(kept: object): string {
  return `{
  const api = acquireVsCodeApi();
  const set = api.setState.bind(api);
  const kept = ${inScript(kept)};
  const wrapped = Object.freeze({ postMessage: api.postMessage.bind(api), getState: api.getState.bind(api), setState: state => set({ ...state, kept }) });
  globalThis.acquireVsCodeApi = () => wrapped;
  set({ ...api.getState(), kept });
}`;
}

/** JSON that cannot end the script it stands in. */
function inScript(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c').replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}

function attribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
