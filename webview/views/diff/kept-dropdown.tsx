import { useLayoutEffect, useRef } from 'preact/hooks';
import { type ChoiceProps, Dropdown } from '../../controls.tsx';

/**
 * A dropdown that shows `value` whatever happened before: the toolkit's element takes its first option until its list is slotted, one
 * frame after it is drawn, and keeps what a person chose when the page says otherwise.
 */
export function KeptDropdown(props: ChoiceProps) {
  const element = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    const set = (): void => {
      const dropdown = element.current as (HTMLElement & { value: string }) | null;
      if (dropdown && dropdown.value !== props.value) dropdown.value = props.value;
    };
    set();
    const frames = [requestAnimationFrame(() => frames.push(requestAnimationFrame(set)))];
    return () => frames.forEach(cancelAnimationFrame);
  });
  return <Dropdown {...props} element={element as never} />;
}
