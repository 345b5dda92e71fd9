import { useEffect, useRef, useState } from 'preact/hooks';
import type { CompressView, PassInfo, SensitivityView } from '../../../src/protocol/messages.ts';
import { addStep, type Draft } from './draft.ts';
import { host } from './host.ts';

/** Can the pass be kept to one part of a model? */
export const goesByPart = (pass: PassInfo | undefined): boolean =>
  pass?.fields.include?.kind === 'globs' && pass.fields.exclude?.kind === 'globs';

/** What each part costs, as the host last told. */
export function useSensitivity(view: CompressView): SensitivityView {
  const [sensitivity, set] = useState(view.sensitivity);
  useEffect(() => set(view.sensitivity), [view]);
  useEffect(() => host.on('sensitivity', set), []);
  return sensitivity;
}

/** Brings the person to what each part costs when the host says so: in a step that goes by part, which is added where there is none. */
export function useSensitivityShown(view: CompressView, draft: Draft, setDraft: (draft: Draft) => void) {
  const title = useRef<HTMLHeadingElement>(null);
  const [wanted, want] = useState(false);
  useEffect(() => {
    if (!view.showsSensitivity) return;
    const can = (id: string): boolean => goesByPart(view.passes.find(pass => pass.id === id));
    const at = draft.steps.findIndex(({ pass }) => can(pass));
    const first = view.passes.find(({ id }) => can(id));
    const isShown = can(draft.steps[draft.selected]?.pass ?? '');
    if (!isShown && at >= 0) setDraft({ ...draft, selected: at });
    else if (!isShown && first) setDraft(addStep(draft, first.id));
    want(true);
    void host.api.sensitivityShown();
  }, [view]);
  useEffect(() => {
    if (!wanted || !title.current) return;
    title.current.scrollIntoView({ block: 'start' });
    title.current.focus({ preventScroll: true });
    want(false);
  });
  return title;
}
