import type { PassInfo } from '../../../src/protocol/messages.ts';
import { say, t } from '../../l10n.ts';
import { groupPasses } from './draft.ts';
import { groupWord } from './words.ts';

/** Every pass there is, to add as a step. Headings appear once there is more than one group. */
export function PassList({
  passes,
  disabled,
  onAdd,
}: {
  passes: readonly PassInfo[];
  disabled: boolean;
  onAdd: (pass: string) => void;
}) {
  const groups = groupPasses(passes);
  return (
    <>
      {groups.map(({ group, passes: members }) => (
        <div key={group}>
          {groups.length > 1 && <h3 class="grp">{groupWord(group)}</h3>}
          {members.map(pass => (
            <button key={pass.id} type="button" class="pass" disabled={disabled} onClick={() => onAdd(pass.id)}>
              <span class="clip">{say(pass.title)}</span>
              {needsText(pass) && (
                <span class="chip out" title={t('Needs a text file of sample sentences')}>
                  {t('sample text')}
                </span>
              )}
              <span class="muted small">{say(pass.summary)}</span>
            </button>
          ))}
        </div>
      ))}
    </>
  );
}

const needsText = ({ needs }: PassInfo): boolean => needs.includes('activations') || needs.includes('gradients');
