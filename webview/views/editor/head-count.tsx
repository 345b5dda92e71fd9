import { useState } from 'preact/hooks';
import { HostError } from '../../bridge.ts';
import { Button, TextField } from '../../controls.tsx';
import { say, t } from '../../l10n.ts';
import { Wrong } from '../wrong.tsx';

interface HeadCountProps {
  readonly disabled: boolean;
  /** Says it in config.json beside the model. */
  readonly onState: (heads: number) => Promise<void>;
}

/** How many heads each layer has, where the file does not say it: the person does, and it is kept in config.json. */
export function HeadCount({ disabled, onState }: HeadCountProps) {
  const [text, setText] = useState('');
  const [wrong, setWrong] = useState('');
  const heads = /^\d{1,4}$/.test(text.trim()) ? Number(text) : 0;
  const state = (): void => {
    if (heads < 1 || disabled) return;
    setWrong('');
    onState(heads).catch(error => setWrong(error instanceof HostError ? say(error.failure.sentence) : String(error)));
  };
  return (
    <span class="head-count">
      <TextField
        class="short"
        label={t('Heads in each layer')}
        placeholder={t('heads')}
        value={text}
        invalid={wrong !== ''}
        disabled={disabled}
        onInput={setText}
        onKeyDown={event => event.key === 'Enter' && state()}
      />
      <Button disabled={disabled || heads < 1} onClick={state}>
        {t('Save in config.json')}
      </Button>
      {wrong && <Wrong>{wrong}</Wrong>}
    </span>
  );
}
