// Line icons of our own, 16 x 16, drawn with the text colour. Decoration: a control that holds one has its own name.

const paths = {
  chevron: 'M5.5 3.5 10 8l-4.5 4.5',
  search: 'M11 7a4 4 0 1 1-8 0 4 4 0 0 1 8 0ZM10 10l3.5 3.5',
  expand: 'M3 6l5-3.5L13 6M3 10l5 3.5L13 10',
  collapse: 'M3 2.5 8 6l5-3.5M3 13.5 8 10l5 3.5',
  more: 'M3.4 8h.2M7.9 8h.2M12.4 8h.2',
  copy: 'M6.5 5.5h6a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1h-6a1 1 0 0 1-1-1v-6a1 1 0 0 1 1-1ZM3.5 10.5h-1v-8h8v1',
  close: 'm4 4 8 8M12 4l-8 8',
  warning: 'M8 2 1.8 13.5h12.4zM8 6.5v3.5M8 11.8v.2',
  error: 'M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0ZM5.8 5.8l4.4 4.4m0-4.4-4.4 4.4',
  info: 'M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0ZM8 7.3v3.8M8 5v.2',
  check: 'm3 8.5 3.2 3.2L13 4.8',
  grip: 'M6 4v.2M6 8v.2M6 12v.2M10 4v.2M10 8v.2M10 12v.2',
  plus: 'M8 3v10M3 8h10',
  minus: 'M3 8h10',
  whole: 'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
  arrow: 'M3 8h9.5M9 4.5 12.5 8 9 11.5',
  file: 'M4 1.5h5.5L12.5 5v9.5h-9v-13zM9 1.5V5.5h3.5',
  up: 'm4 10 4-4 4 4',
  down: 'm4 6 4 4 4-4',
  ring: 'M8 2a6 6 0 1 1-6 6',
  circle: 'M13.5 8a5.5 5.5 0 1 1-11 0 5.5 5.5 0 0 1 11 0Z',
  trash: 'M3 4.5h10M6 4.5v-2h4v2M4.5 4.5l.7 9h5.6l.7-9',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, class: extra, slot }: { name: IconName; class?: string; slot?: string }) {
  return (
    <svg class={extra ? `i ${extra}` : 'i'} viewBox="0 0 16 16" aria-hidden="true" {...(slot && { slot })}>
      <path d={paths[name]} stroke-width={name === 'more' || name === 'grip' ? 1.8 : undefined} />
    </svg>
  );
}
