import type { Scores } from '../../../../src/protocol/messages.ts';
import { say } from '../../../l10n.ts';
import { leftAlone } from '../../../layout/diff-left-alone.ts';
import { visibleName } from '../../../layout/names.ts';

/** Layers that can lose none, by the reason. */
export function LeftOut({ scores: { skipped } }: { scores: Scores }) {
  const groups = leftAlone(skipped);
  if (groups.length === 0) return null;
  return (
    <ul class="small muted left-out">
      {groups.map(({ reason }) => (
        <li key={say(reason)}>{visibleName(say(reason), 400)}</li>
      ))}
    </ul>
  );
}
