import type { ComponentChildren } from 'preact';
import { Icon } from '../icons.tsx';

/** Why something cannot be done, beside what it is about. Colour is the mark's alone: red text is too pale on some themes. */
export function Wrong({ children }: { children: ComponentChildren }) {
  return (
    <p class="wrong small" role="alert">
      <Icon name="error" />
      <span>{children}</span>
    </p>
  );
}
