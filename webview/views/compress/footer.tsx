import { Button, Dropdown, TextField } from '../../controls.tsx';
import { t } from '../../l10n.ts';

type Format = 'onnx' | 'safetensors';

interface FooterProps {
  readonly out: string;
  readonly format: Format;
  readonly steps: number;
  readonly canRun: boolean;
  /** Why Run is not to be pressed. */
  readonly why: string | undefined;
  readonly onOut: (out: string) => void;
  readonly onFormat: (format: Format) => void;
  readonly onBrowse: () => void;
  readonly onCopyCommand: () => void;
  readonly onSaveRecipe: () => void;
  readonly onRun: () => void;
  readonly runButton: (element: HTMLElement | null) => void;
}

/** Where the result goes, and the buttons that end the editing. */
export function Footer(props: FooterProps) {
  const none = props.steps === 0;
  return (
    <footer class="end">
      <span class="muted label">{t('Write to')}</span>
      <TextField
        class="mono grow out"
        label={t('Output file')}
        value={props.out}
        invalid={props.out.trim() === ''}
        onInput={props.onOut}
      />
      <Button class="browse" onClick={props.onBrowse}>
        {t('Browse…')}
      </Button>
      <Dropdown
        class="format"
        label={t('Format')}
        value={props.format}
        choices={[
          { value: 'safetensors', label: 'safetensors' },
          { value: 'onnx', label: 'ONNX' },
        ]}
        onChange={value => props.onFormat(value as Format)}
      />
      <Button class="cmdc" disabled={none} onClick={props.onCopyCommand}>
        {t('Copy command')}
      </Button>
      <Button class="save" disabled={none} onClick={props.onSaveRecipe}>
        {t('Save recipe…')}
      </Button>
      <Button
        kind="primary"
        class="run"
        disabled={!props.canRun}
        title={props.why ?? 'Ctrl+Enter'}
        element={props.runButton}
        onClick={props.onRun}
      >
        {none ? t('Run') : props.steps === 1 ? t('Run 1 step') : t('Run {n} steps', { n: props.steps })}
      </Button>
    </footer>
  );
}

export function RunningFooter({ name, cancelling, onCancel }: { name: string; cancelling: boolean; onCancel: () => void }) {
  return (
    <footer class="end">
      <span class="grow clip">
        <span class="muted">{t('Writing to a temporary file beside')}</span> <span class="mono">{name}</span>
      </span>
      <Button disabled={cancelling} onClick={onCancel}>
        {cancelling ? t('Cancelling…') : t('Cancel')}
      </Button>
    </footer>
  );
}

/** The path with the ending of the format that is to be written; a path that ends otherwise (a folder) stays. */
export function withEnding(out: string, format: Format): string {
  return out.replace(/\.(onnx|safetensors)$/i, `.${format}`);
}

export function formatOf(out: string): Format | undefined {
  return /\.(onnx|safetensors)$/i.exec(out)?.[1]?.toLowerCase() as Format | undefined;
}
