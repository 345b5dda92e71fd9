import { useLayoutEffect, useRef } from 'preact/hooks';
import type { DryRun, Redundancy, Saving, Step } from '../../../src/protocol/messages.ts';
import { Facts } from './facts.tsx';
import { Heads } from './heads.tsx';
import { Layers } from './layers.tsx';
import { NearZero } from './near-zero.tsx';
import type { AskOutputs } from './outputs.tsx';
import { Repeats } from './repeats.tsx';
import { Savings } from './savings.tsx';
import { Spectra } from './spectra.tsx';
import { keep, kept } from './state.ts';
import { VocabularyRows } from './vocabulary.tsx';

interface Props {
  readonly redundancy: Redundancy;
  readonly savings: readonly Saving[];
  readonly fileBytes: number;
  readonly tryStep: (step: Step) => Promise<DryRun>;
  readonly askOutputs: AskOutputs;
  readonly onTry: (pass: string, options: Readonly<Record<string, unknown>>) => void;
  readonly onCopy: (text: string) => void;
}

/** What was found, the most useful first. */
export function Found(props: Props) {
  const { redundancy, savings, onTry, onCopy } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const pending = useRef<ReturnType<typeof setTimeout>>(undefined);
  useLayoutEffect(() => {
    if (scroller.current) scroller.current.scrollTop = kept<number>('scroll') ?? 0;
  }, []);
  const onScroll = (): void => {
    clearTimeout(pending.current);
    pending.current = setTimeout(() => keep('scroll', scroller.current?.scrollTop ?? 0), 150);
  };
  // A command that the dry runs know is one that can be opened.
  const knows = (pass: string): boolean => savings.some(saving => saving.pass === pass);
  return (
    <div class="found scroll" ref={scroller} onScroll={onScroll}>
      <Facts {...props} />
      <Savings {...props} />
      {(redundancy.spectra.length > 0 || (redundancy.skipped ?? []).length > 0) && (
        <Spectra
          redundancy={redundancy}
          onFactorize={knows('factorize') ? options => onTry('factorize', options) : undefined}
          tryStep={props.tryStep}
          askOutputs={props.askOutputs}
          onCopy={onCopy}
        />
      )}
      <Layers
        redundancy={redundancy}
        onShare={knows('share-layers') ? groups => onTry('share-layers', { groups }) : undefined}
        onCopy={onCopy}
      />
      <Heads redundancy={redundancy} onCopy={onCopy} />
      <Repeats redundancy={redundancy} onCopy={onCopy} />
      <VocabularyRows redundancy={redundancy} onCopy={onCopy} />
      <NearZero redundancy={redundancy} onCopy={onCopy} />
    </div>
  );
}
