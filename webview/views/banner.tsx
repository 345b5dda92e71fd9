import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from '../icons.tsx';

/** A line across the page that says what is unusual about what is shown, and what can be done. */
export function Banner({
  icon = 'warning',
  children,
  action,
}: {
  icon?: IconName;
  children: ComponentChildren;
  action?: ComponentChildren;
}) {
  return (
    <div class={`banner ${icon}`}>
      <Icon name={icon} />
      <span class="grow">{children}</span>
      {action}
    </div>
  );
}
