import type { PairBar as Bar, Organ } from '../../layout/diff-bars.ts';

/** Outlined: before. Solid inside: after. Its numbers stand beside it, so it is decoration to assistive technology. */
export function PairBar({ bar, organ, removed }: { bar: Bar; organ: Organ; removed?: boolean }) {
  return (
    <span class={`bar ba c-${organ} ${removed ? 'gone' : ''}`} aria-hidden="true">
      <i class={bar.tick ? 'b tiny' : 'b'} style={{ width: `${bar.before * 100}%` }} />
      <i class="a" style={{ width: `${bar.after * 100}%` }} />
    </span>
  );
}
