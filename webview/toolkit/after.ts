import { createElement } from './before.ts';

document.createElement = createElement;
