import { useEffect, useState } from 'preact/hooks';
import type { Field } from '../../../src/core/passes/pass.ts';
import type { Failure } from '../../../src/protocol/messages.ts';
import { optionText } from '../../../src/protocol/option-text.ts';
import { Checkbox, Dropdown, RadioGroup, Range, TextField } from '../../controls.tsx';
import { say, t } from '../../l10n.ts';
import { share } from '../../numbers.ts';
import { Wrong } from '../wrong.tsx';
import { type FieldValue, isDefault, parseGlobs, parseNumber, type TextKind, type TextualField } from './draft.ts';
import { host } from './host.ts';
import { PathControl } from './path-control.tsx';
import { choiceWord, valueWord } from './words.ts';

/** More choices than this are a list to open rather than a column of radio buttons. */
const mostRadios = 12;

interface FieldRowProps<F extends Field = Field> {
  readonly id: string;
  readonly field: F;
  readonly value: FieldValue;
  /** What the dry run says against the value. */
  readonly failure?: Failure | undefined;
  readonly onChange: (value: FieldValue) => void;
  readonly onInvalid: (invalid: boolean) => void;
}

/** A label, its control, what it means, and a mark when it differs from the default. */
export function FieldRow(props: FieldRowProps) {
  const { id, field, value, failure } = props;
  const changed = !isDefault(field, value);
  const help = `${id}-help`;
  return (
    <div class="f">
      <label class={changed ? 'lab set' : 'lab'} id={`${id}-label`} for={field.kind === 'globs' ? id : undefined}>
        {say(field.label)}
      </label>
      <div class="control">
        <Control {...props} />
        {failure && (
          <Wrong>
            {say(failure.sentence)}
            {failure.hint && ` ${say(failure.hint)}`}
          </Wrong>
        )}
      </div>
      <p class="d" id={help}>
        {field.kind !== 'flag' && say(field.help)}
        {changed && (
          <>
            {' '}
            {t('Default: {value}.', { value: valueWord(field.default) })}{' '}
            <button type="button" class="link" onClick={() => props.onChange(field.default)}>
              {t('Reset')}
            </button>
          </>
        )}
      </p>
    </div>
  );
}

function Control(props: FieldRowProps) {
  const { field } = props;
  switch (field.kind) {
    case 'number':
      return <NumberControl {...props} field={field} />;
    case 'choice':
      return <ChoiceControl {...props} field={field} />;
    case 'flag':
      return (
        <Checkbox label={`${say(field.label)}: ${say(field.help)}`} checked={props.value === true} onChange={props.onChange}>
          {say(field.help)}
        </Checkbox>
      );
    case 'globs':
      return <GlobsControl {...props} field={field} />;
    case 'integers':
    case 'units':
    case 'groups':
    case 'by-layer':
      return <TextControl {...props} field={field} />;
    case 'file':
      return (
        <PathControl
          label={say(field.label)}
          value={String(props.value)}
          invalid={props.failure !== undefined}
          describedBy={`${props.id}-help`}
          onChange={props.onChange}
          onChoose={current => host.api.chooseFile(current)}
        />
      );
  }
}

function NumberControl({ id, field, value, onChange, onInvalid }: FieldRowProps<Extract<Field, { kind: 'number' }>>) {
  const [text, setText] = useState(optionText(value));
  const valid = parseNumber(field, text) !== undefined;
  useEffect(() => {
    if (parseNumber(field, text) !== value) setText(optionText(value));
  }, [value]);
  useEffect(() => () => onInvalid(false), []);
  const type = (next: string): void => {
    setText(next);
    const parsed = parseNumber(field, next);
    onInvalid(parsed === undefined);
    if (parsed !== undefined && parsed !== value) onChange(parsed);
  };
  return (
    <>
      <TextField label={say(field.label)} class="short" value={text} invalid={!valid} describedBy={`${id}-help`} onInput={type} />
      {field.min >= 0 && field.max <= 1 && (
        <Range
          id={`${id}-range`}
          label={t('{name}, slider', { name: say(field.label) })}
          min={Math.ceil(field.min * 100)}
          max={Math.floor(field.max * 100)}
          value={Math.round(100 * (typeof value === 'number' ? value : field.min))}
          valueText={share(typeof value === 'number' ? value : field.min, 0)}
          onInput={hundredths => type(hundredths === 0 && field.default === null ? '' : String(hundredths / 100))}
        />
      )}
      {!valid && <Wrong>{t('A number from {min} to {max}.', { min: field.min, max: field.max })}</Wrong>}
    </>
  );
}

function ChoiceControl({ id, field, value, onChange }: FieldRowProps<Extract<Field, { kind: 'choice' }>>) {
  const hinted = field.choices.some(({ hint }) => hint.text !== '');
  if (!hinted || field.choices.length > mostRadios)
    return (
      <Dropdown
        label={say(field.label)}
        class="short"
        describedBy={`${id}-help`}
        value={String(value)}
        choices={field.choices.map(choice => ({ value: choice.value, label: choiceWord(choice.value) }))}
        onChange={onChange}
      />
    );
  return (
    <RadioGroup
      label={say(field.label)}
      describedBy={`${id}-help`}
      value={String(value)}
      choices={field.choices.map(choice => ({
        value: choice.value,
        label: (
          <span class="opt">
            <span>{choiceWord(choice.value)}</span>
            <span class="muted">{say(choice.hint)}</span>
          </span>
        ),
      }))}
      onChange={onChange}
    />
  );
}

/** Examples of what is typed, one for each kind. */
const examples: Readonly<Record<TextKind, string>> = {
  integers: '0 2-4',
  units: '0:1 3:0,2',
  groups: '0-2 3-5',
  'by-layer': '8 4 4 8',
};

/** A list or units by layer, as its text: the dry run says what is wrong with it. */
function TextControl({ id, field, value, failure, onChange }: FieldRowProps<TextualField>) {
  const said = optionText(value);
  const [text, setText] = useState(said);
  useEffect(() => {
    if (text.trim() !== said) setText(said);
  }, [said]);
  return (
    <TextField
      label={say(field.label)}
      class="list"
      value={text}
      invalid={failure !== undefined}
      placeholder={examples[field.kind]}
      describedBy={`${id}-help`}
      onInput={next => {
        setText(next);
        onChange(next.trim() === '' ? field.default : (next.trim() as never));
      }}
    />
  );
}

function GlobsControl({ id, field, value, onChange }: FieldRowProps<Extract<Field, { kind: 'globs' }>>) {
  const said = (Array.isArray(value) ? value : []).join('\n');
  const [text, setText] = useState(said);
  useEffect(() => {
    if (parseGlobs(text).join('\n') !== said) setText(said);
  }, [said]);
  return (
    <textarea
      id={id}
      class="in mono globs"
      rows={Math.min(6, Math.max(1, text.split('\n').length))}
      spellcheck={false}
      aria-describedby={`${id}-help`}
      placeholder={field.default.join(' ')}
      value={text}
      onInput={event => {
        setText(event.currentTarget.value);
        onChange(parseGlobs(event.currentTarget.value));
      }}
    />
  );
}
