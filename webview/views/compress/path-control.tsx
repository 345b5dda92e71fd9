import { useEffect, useState } from 'preact/hooks';
import { Button, TextField } from '../../controls.tsx';
import { t } from '../../l10n.ts';

interface PathControlProps {
  readonly label: string;
  readonly value: string;
  readonly invalid?: boolean;
  readonly describedBy: string;
  readonly onChange: (path: string) => void;
  /** Asks the person for a file; null when they did not say. */
  readonly onChoose: (current: string) => Promise<string | null>;
}

/** The path of a file, typed or chosen. */
export function PathControl({ label, value, invalid = false, describedBy, onChange, onChoose }: PathControlProps) {
  const [text, setText] = useState(value);
  useEffect(() => {
    if (text.trim() !== value) setText(value);
  }, [value]);
  return (
    <div class="path">
      <TextField
        label={label}
        class="mono"
        title={text}
        value={text}
        invalid={invalid}
        describedBy={describedBy}
        onInput={next => {
          setText(next);
          onChange(next.trim());
        }}
      />
      <Button
        label={`${label}: ${t('Choose…')}`}
        onClick={async () => {
          const chosen = await onChoose(text.trim()).catch(() => null);
          if (chosen !== null) onChange(chosen);
        }}
      >
        {t('Choose…')}
      </Button>
    </div>
  );
}
