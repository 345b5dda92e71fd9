import './toolkit/before.ts';
import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeCheckbox,
  vsCodeDropdown,
  vsCodeOption,
  vsCodeRadio,
  vsCodeRadioGroup,
  vsCodeTextField,
} from '@vscode/webview-ui-toolkit';
import './toolkit/after.ts';
import { type ComponentChildren, h, type Ref } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

// The one seam to @vscode/webview-ui-toolkit (archived): form controls as preact components, registered when first drawn. Their looks are
// brought in line in style/controls.css through the elements' css parts. To replace the toolkit, keep these props and change this file.

type Registration = ReturnType<typeof vsCodeButton>;
const registered = new Set<string>();
function register(name: string, definition: () => Registration): void {
  if (registered.has(name)) return;
  registered.add(name);
  provideVSCodeDesignSystem().register(definition());
}

/** Attributes for assistive technology, and hooks for layout, that every control takes. */
export interface ControlProps {
  readonly id?: string | undefined;
  readonly class?: string | undefined;
  /** The control's name where no visible label says it. */
  readonly label?: string | undefined;
  readonly disabled?: boolean | undefined;
  readonly title?: string | undefined;
  readonly describedBy?: string | undefined;
  readonly slot?: string | undefined;
  /** The element, for focus. */
  readonly element?: Ref<HTMLElement> | undefined;
}

function common(props: ControlProps): Record<string, unknown> {
  return {
    id: props.id,
    class: props.class,
    title: props.title,
    slot: props.slot,
    disabled: props.disabled ?? false,
    'aria-label': props.label,
    'aria-describedby': props.describedBy,
    ref: props.element,
  };
}

export interface ButtonProps extends ControlProps {
  readonly kind?: 'primary' | 'secondary' | 'icon';
  readonly onClick: () => void;
  readonly children?: ComponentChildren;
  readonly expanded?: boolean;
}
export function Button(props: ButtonProps) {
  register('button', vsCodeButton as () => Registration);
  return h(
    'vscode-button',
    {
      ...common(props),
      appearance: props.kind ?? 'secondary',
      'aria-expanded': props.expanded === undefined ? undefined : String(props.expanded),
      onClick: () => !props.disabled && props.onClick(),
    },
    props.children,
  );
}

export interface TextFieldProps extends ControlProps {
  readonly value: string;
  readonly placeholder?: string;
  readonly readOnly?: boolean;
  readonly invalid?: boolean;
  /** At every keystroke. */
  readonly onInput?: (value: string) => void;
  /** When the person is done: Enter, or leaving the field. */
  readonly onChange?: (value: string) => void;
  readonly onKeyDown?: (event: KeyboardEvent) => void;
  /** Icons and counts, with slot="start" or slot="end". */
  readonly children?: ComponentChildren;
}
export function TextField(props: TextFieldProps) {
  register('text-field', vsCodeTextField as () => Registration);
  const element = useElement<HTMLElement>(props.element);
  // The toolkit's element names itself for its text when it is first in the page: for a filter that is its count.
  useLayoutEffect(() => {
    if (props.label) element.current?.setAttribute('aria-label', props.label);
  });
  return h(
    'vscode-text-field',
    {
      ...common(props),
      ref: element.ref,
      value: props.value,
      placeholder: props.placeholder,
      readOnly: props.readOnly ?? false,
      spellcheck: false,
      'aria-invalid': props.invalid ? 'true' : undefined,
      onInput: (event: Event) => props.onInput?.(chosen(event)),
      onChange: (event: Event) => props.onChange?.(chosen(event)),
      onKeyDown: props.onKeyDown,
    },
    props.children,
  );
}

export interface CheckboxProps extends ControlProps {
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
  readonly children?: ComponentChildren;
}
export function Checkbox(props: CheckboxProps) {
  register('checkbox', vsCodeCheckbox as () => Registration);
  return h(
    'vscode-checkbox',
    {
      ...common(props),
      checked: props.checked,
      // The element also says "change" when the property is set: only a difference is news.
      onChange: (event: Event) => {
        const checked = (event.target as HTMLInputElement).checked;
        if (checked !== props.checked) props.onChange(checked);
      },
    },
    props.children,
  );
}

export interface Choice {
  readonly value: string;
  readonly label: ComponentChildren;
}
export interface ChoiceProps extends ControlProps {
  readonly value: string;
  readonly choices: readonly Choice[];
  readonly onChange: (value: string) => void;
}
export function RadioGroup(props: ChoiceProps & { readonly orientation?: 'horizontal' | 'vertical' }) {
  register('radio-group', vsCodeRadioGroup as () => Registration);
  register('radio', vsCodeRadio as () => Registration);
  return h(
    'vscode-radio-group',
    {
      ...common(props),
      value: props.value,
      orientation: props.orientation ?? 'vertical',
      onChange: (event: Event) => {
        const value = chosen(event);
        if (value !== props.value && props.choices.some(choice => choice.value === value)) props.onChange(value);
      },
    },
    props.choices.map(({ value, label }) => h('vscode-radio', { key: value, value }, label)),
  );
}

/** Shows `value` whatever happened before. */
export function Dropdown(props: ChoiceProps) {
  register('dropdown', vsCodeDropdown as () => Registration);
  register('option', vsCodeOption as () => Registration);
  const element = useElement<HTMLElement & { value: string }>(props.element);
  // The toolkit's element takes its first option until its list is slotted, one frame after it is drawn, and keeps what a person chose
  // when the page says otherwise.
  useLayoutEffect(() => {
    const set = (): void => {
      if (element.current && element.current.value !== props.value) element.current.value = props.value;
    };
    set();
    const frames = [requestAnimationFrame(() => frames.push(requestAnimationFrame(set)))];
    return () => frames.forEach(cancelAnimationFrame);
  });
  return h(
    'vscode-dropdown',
    {
      ...common(props),
      ref: element.ref,
      // A new list means a new element: the toolkit's listbox loses its value when options come and go.
      key: props.choices.map(choice => choice.value).join('\n'),
      onChange: (event: Event) => {
        const value = chosen(event);
        if (value !== props.value && props.choices.some(choice => choice.value === value)) props.onChange(value);
      },
    },
    props.choices.map(({ value, label }) => h('vscode-option', { key: value, value, selected: value === props.value }, label)),
  );
}

/** A control's element, for itself and for who asked for it. */
function useElement<E extends HTMLElement>(
  asked: Ref<HTMLElement> | undefined,
): { current: E | null; ref: (found: E | null) => void } {
  const latest = useRef(asked);
  latest.current = asked;
  const [element] = useState(() => {
    const held = {
      current: null as E | null,
      ref: (found: E | null): void => {
        held.current = found;
        if (typeof latest.current === 'function') latest.current(found);
        else if (latest.current) latest.current.current = found;
      },
    };
    return held;
  });
  return element;
}

const chosen = (event: Event): string => (event.target as HTMLInputElement).value ?? '';

export interface RangeProps {
  readonly id: string;
  /** Where no visible label is `for` it. */
  readonly label?: string;
  readonly min: number;
  readonly max: number;
  readonly value: number;
  /** What the value means, for who does not see the page. */
  readonly valueText: string;
  readonly disabled?: boolean;
  /** While it is dragged. */
  readonly onInput: (value: number) => void;
}
/** A slider of whole numbers. Ours, since the toolkit has none. */
export function Range({ id, label, min, max, value, valueText, disabled = false, onInput }: RangeProps) {
  return (
    <input
      id={id}
      type="range"
      aria-label={label}
      class="range"
      style={{ '--at': `${max > min ? (100 * (value - min)) / (max - min) : 0}%` }}
      min={min}
      max={max}
      value={value}
      disabled={disabled}
      aria-valuetext={valueText}
      onInput={event => onInput(Number(event.currentTarget.value))}
    />
  );
}

/** A segmented choice: radios that look like one button. Ours, since the toolkit has none. */
export function Segments(props: ChoiceProps & { readonly label: string; readonly small?: boolean }) {
  const move = (event: KeyboardEvent, index: number): void => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = (index + step + props.choices.length) % props.choices.length;
    props.onChange(props.choices[next]!.value);
    const group = (event.currentTarget as HTMLElement).parentElement;
    (group?.children[next] as HTMLElement | undefined)?.focus();
  };
  return (
    <div class={`seg${props.small ? ' sm' : ''} ${props.class ?? ''}`} role="radiogroup" aria-label={props.label}>
      {props.choices.map(({ value, label }, index) => (
        // biome-ignore lint/a11y/useSemanticElements: an input cannot hold the segment's look, keys follow the radio pattern
        <button
          key={value}
          type="button"
          role="radio"
          aria-checked={value === props.value}
          tabIndex={value === props.value ? 0 : -1}
          disabled={props.disabled ?? false}
          onClick={() => props.onChange(value)}
          onKeyDown={event => move(event, index)}
        >
          {label}
        </button>
      ))}
    </div>
  );
}
