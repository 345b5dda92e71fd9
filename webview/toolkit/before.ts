// While it loads, the toolkit asks whether the browser knows :focus-visible by adding an inline <style>, which the page's content
// security policy refuses: an error in the console, and focus rings on every click. Until toolkit/after.ts, it gets a sheet instead.

export const createElement = document.createElement;

document.createElement = ((name: string, options?: ElementCreationOptions): HTMLElement =>
  name === 'style'
    ? Object.assign(createElement.call(document, 'meta'), { sheet: new CSSStyleSheet() })
    : createElement.call(document, name, options)) as typeof document.createElement;
