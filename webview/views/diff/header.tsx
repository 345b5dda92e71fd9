import type { DiffHostApi, Made } from '../../../src/protocol/messages.ts';
import type { Remote } from '../../../src/protocol/rpc.ts';
import { Button } from '../../controls.tsx';
import { Icon } from '../../icons.tsx';
import { t } from '../../l10n.ts';
import { visibleName } from '../../layout/names.ts';
import { MoreMenu } from './menu.tsx';
import { optionsWord, passWord } from './words.ts';

interface HeaderProps {
  readonly names: { readonly before: string; readonly after: string };
  readonly made: Made | null;
  /** Absent while there is nothing to copy or open. */
  readonly api?: Remote<DiffHostApi>;
}

/** before -> after, the recipe in a line, and what can be done with the comparison. */
export function Header({ names, made, api }: HeaderProps) {
  const recipe = made?.recipe.steps
    .map(({ pass, options }, index) => `${index + 1} ${passWord(pass)} ${optionsWord(options)}`)
    .join(' · ');
  return (
    <header class="hdr">
      <h1 class="row names">
        <bdi class="clip" title={visibleName(names.before)}>
          {visibleName(names.before)}
        </bdi>
        <Icon name="arrow" />
        <span class="sr">{t('to')}</span>
        <bdi class="clip" title={visibleName(names.after)}>
          {visibleName(names.after)}
        </bdi>
      </h1>
      {recipe && (
        <span class="what clip" title={recipe}>
          {recipe}
        </span>
      )}
      {api && <Commands api={api} made={made !== null} />}
    </header>
  );
}

function Commands({ api, made }: { api: Remote<DiffHostApi>; made: boolean }) {
  const commands = [
    { title: t('Copy as Markdown'), run: () => void api.copyMarkdown() },
    { title: t('Save report…'), run: () => void api.saveReport() },
    ...(made ? [{ title: t('Copy command'), run: () => void api.copyCommand() }] : []),
  ];
  return (
    <span class="row commands">
      <span class="row only-wide">
        {commands.map(({ title, run }) => (
          <Button key={title} onClick={run}>
            {title}
          </Button>
        ))}
      </span>
      <MoreMenu
        class="only-below-wide"
        commands={[...commands, { title: t('Open original'), run: () => void api.openOriginal() }]}
      />
      <Button kind="primary" onClick={() => void api.openResult()}>
        {t('Open result')}
      </Button>
    </span>
  );
}
