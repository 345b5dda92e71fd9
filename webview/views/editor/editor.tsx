import { useEffect, useMemo, useState } from 'preact/hooks';
import type { TreeNode } from '../../../src/core/report/tree.ts';
import type { EditorEvents, EditorHostApi, EditorView } from '../../../src/protocol/messages.ts';
import { connectHost, HostError } from '../../bridge.ts';
import { isTensor } from '../../layout/model-index.ts';
import { usePageWidth } from '../page-width.ts';
import { Ready } from './ready.tsx';
import { Empty, Failed, Opening } from './states.tsx';

/** The page of a model: asks the host what to show, and shows what it says from then on. */
export function Editor() {
  const host = useMemo(() => connectHost<EditorHostApi, EditorEvents>(), []);
  const [view, setView] = useState<EditorView | undefined>();
  const [filterCalls, setFilterCalls] = useState(0);
  const width = usePageWidth();
  // The host says what it shows whenever the tab comes to the front: the same again is no reason to draw.
  const show = (next: EditorView): void => setView(now => (now && JSON.stringify(now) === JSON.stringify(next) ? now : next));
  useEffect(() => {
    host.on('view', show);
    host.on('focusFilter', () => setFilterCalls(calls => calls + 1));
    host.api.view().then(show, error => {
      if (error instanceof HostError) setView({ state: 'failed', name: '', failure: error.failure });
      else throw error;
    });
  }, [host]);

  return (
    <main class="editor">
      {view && <State view={view} width={width} host={host} filterCalls={filterCalls} />}
      <div id="live" class="sr" role="status" aria-live="polite" />
    </main>
  );
}

interface StateProps {
  readonly view: EditorView;
  readonly width: number;
  readonly host: ReturnType<typeof connectHost<EditorHostApi, EditorEvents>>;
  readonly filterCalls: number;
}

function State({ view, width, host: { api }, filterCalls }: StateProps) {
  const reload = (): void => void api.reload();
  if (view.state === 'opening') return <Opening view={view} width={width} />;
  if (view.state === 'failed') return <Failed view={view} onReload={reload} onShowLog={() => void api.showLog()} />;
  if (!holdsTensor(view.summary.tree)) return <Empty name={view.name} file={view.summary.file} onReload={reload} />;
  return <Ready view={view} width={width} api={api} filterCalls={filterCalls} />;
}

function holdsTensor(node: TreeNode): boolean {
  return isTensor(node) || (node.children ?? []).some(holdsTensor);
}
