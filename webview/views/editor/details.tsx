import type { ComponentChildren } from 'preact';
import type { HeadSize, Summary } from '../../../src/core/report/tree.ts';
import { Button } from '../../controls.tsx';
import { Icon } from '../../icons.tsx';
import { t } from '../../l10n.ts';
import { type Entry, isTensor, type ModelIndex } from '../../layout/model-index.ts';
import { bytesText, count, shape, share } from '../../numbers.ts';
import { Name } from '../name.tsx';
import { Inside, type InsideProps } from './inside/inside.tsx';
import { subjectOf } from './inside/subject.ts';
import { partName, pathOf, titleOf } from './words.ts';

export interface DetailsProps {
  readonly summary: Summary;
  readonly index: ModelIndex;
  readonly entry: Entry | undefined;
  readonly head: HeadSize | undefined;
  readonly onCopy: (text: string) => void;
  readonly insides: Omit<InsideProps, 'subject' | 'onCopy'>;
  /** null: all heads of the layer. */
  readonly onAttention: (layer: number, head: number | null) => void;
}

/** What is known of the selected row or head; of the file when nothing is selected. */
export function Details({ summary, index, entry, head, onCopy, insides, onAttention }: DetailsProps) {
  const root = index.root.node;
  return (
    <section class="pane p-details" aria-labelledby="details-title">
      {head ? (
        <HeadDetails head={head} total={root.parameters} totalBytes={root.byteLength} onAttention={onAttention} />
      ) : entry?.parent ? (
        <RowDetails
          entry={entry}
          summary={summary}
          total={root.parameters}
          totalBytes={root.byteLength}
          onCopy={onCopy}
          insides={insides}
          onAttention={onAttention}
        />
      ) : (
        <FileDetails summary={summary} index={index} />
      )}
    </section>
  );
}

function RowDetails(props: {
  entry: Entry;
  summary: Summary;
  total: number;
  totalBytes: number;
  onCopy: (text: string) => void;
  insides: DetailsProps['insides'];
  onAttention: DetailsProps['onAttention'];
}) {
  const { entry, summary, onCopy, insides } = props;
  const subject = subjectOf(entry);
  const { node } = entry;
  const names = node.tensors ?? [];
  const values = (node.shape ?? []).reduce((product, size) => product * size, 1);
  const heads = entry.layer === undefined ? undefined : summary.model.heads[entry.layer];
  const neurons = entry.layer === undefined ? undefined : summary.model.intermediate[entry.layer];
  return (
    <>
      <Title text={pathOf(entry)}>
        <Button kind="icon" label={t('Copy id')} title={t('Copy id')} onClick={() => onCopy(node.id)}>
          <Icon name="copy" />
        </Button>
      </Title>
      <p class="mono muted id">
        <Name limit={2000}>{node.id}</Name>
      </p>
      <dl class="kv">
        {node.shape && (
          <Fact name={t('Shape')} mono>
            {shape(node.shape)}
          </Fact>
        )}
        {node.dtype && (
          <Fact name={t('Type')} mono>
            {node.dtype}
          </Fact>
        )}
        {isTensor(node) && node.shape && values !== node.parameters && <Fact name={t('Values')}>{count(values)}</Fact>}
        <Fact name={t('Parameters')}>{node.parameters ? count(node.parameters) : '–'}</Fact>
        <ByteFacts byteLength={node.byteLength} />
        <Shares {...props} parameters={node.parameters} byteLength={node.byteLength} />
        {(node.kind === 'layer' || node.kind === 'attention') && heads ? <Fact name={t('Heads')}>{count(heads)}</Fact> : null}
        {(node.kind === 'layer' || node.kind === 'feed-forward') && neurons ? (
          <Fact name={t('Neurons')}>{count(neurons)}</Fact>
        ) : null}
      </dl>
      {node.kind === 'attention' && entry.layer !== undefined && (
        <Button onClick={() => props.onAttention(entry.layer!, null)}>{t('Show attention…')}</Button>
      )}
      {subject && (
        <>
          {subject.entry !== entry && (
            <h3 class="of">
              {t('Inside {name}', { name: titleOf(subject.entry.node) })} <span class="mono muted">{shape(subject.shape)}</span>
            </h3>
          )}
          <Inside {...insides} subject={subject} onCopy={onCopy} />
        </>
      )}
      {names.length > 0 && (
        <>
          <h3>{names.length === 1 ? t('Name in the file') : t('Names in the file')}</h3>
          <ul class="names mono">
            {names.slice(0, 50).map(name => (
              <li key={name}>
                <Name limit={2000}>{name}</Name>
              </li>
            ))}
            {names.length > 50 && <li class="muted">{t('and {n} more', { n: names.length - 50 })}</li>}
          </ul>
        </>
      )}
    </>
  );
}

interface HeadDetailsProps extends Pick<DetailsProps, 'onAttention'> {
  readonly head: HeadSize;
  readonly total: number;
  readonly totalBytes: number;
}

function HeadDetails({ head, total, totalBytes, onAttention }: HeadDetailsProps) {
  return (
    <>
      <Title text={t('Layer {layer}, head {head}', { layer: head.layer, head: head.head })} />
      <p class="muted small id">
        {t('What removing it would remove: its rows of query, key and value, and its columns of the output.')}
      </p>
      <dl class="kv">
        <Fact name={t('Parameters')}>{count(head.parameters)}</Fact>
        <ByteFacts byteLength={head.byteLength} />
        <Shares parameters={head.parameters} byteLength={head.byteLength} total={total} totalBytes={totalBytes} />
      </dl>
      <Button onClick={() => onAttention(head.layer, head.head)}>{t('Show attention…')}</Button>
    </>
  );
}

function FileDetails({ summary, index }: { summary: Summary; index: ModelIndex }) {
  const { file, model } = summary;
  return (
    <>
      <Title text={t('File')} />
      <dl class="kv">
        <Fact name={t('Format')}>{file.format === 'onnx' ? 'ONNX' : 'safetensors'}</Fact>
        {model.graph && <Fact name={t('Nodes')}>{count(model.graph.nodes)}</Fact>}
        <Fact name={t('Tensors')}>{count(index.tensorCount)}</Fact>
        <Fact name={t('Parameters')}>{count(model.parameters)}</Fact>
        <ByteFacts byteLength={file.byteLength} />
      </dl>
      <Sizes title={t('By type')} rows={model.dtypes.map(({ dtype, byteLength }) => ({ name: dtype, byteLength }))} />
      <Sizes title={t('Parts of the file')} rows={partsOf(file)} />
    </>
  );
}

/** Headers of several files are one line. */
function partsOf({ parts }: Summary['file']): { name: string; byteLength: number }[] {
  const sums = new Map<string, number>();
  for (const { kind, byteLength } of parts) sums.set(kind, (sums.get(kind) ?? 0) + byteLength);
  return [...sums].filter(([, byteLength]) => byteLength > 0).map(([kind, byteLength]) => ({ name: partName(kind), byteLength }));
}

function Sizes({ title, rows }: { title: string; rows: readonly { readonly name: string; readonly byteLength: number }[] }) {
  if (!rows.length) return null;
  return (
    <>
      <h3>{title}</h3>
      <dl class="kv">
        {rows.map(({ name, byteLength }) => (
          <Fact key={name} name={name}>
            {bytesText(byteLength)} <span class="muted">{count(byteLength)}</span>
          </Fact>
        ))}
      </dl>
    </>
  );
}

function Title({ text, children }: { text: string; children?: ComponentChildren }) {
  return (
    <div class="row">
      <h2 id="details-title" class="clip" title={text}>
        <bdi>{text}</bdi>
      </h2>
      <span class="grow" />
      {children}
    </div>
  );
}

function Fact({ name, mono, children }: { name: string; mono?: boolean; children: ComponentChildren }) {
  return (
    <>
      <dt>{name}</dt>
      <dd class={mono ? 'mono' : ''}>{children}</dd>
    </>
  );
}

function ByteFacts({ byteLength }: { byteLength: number }) {
  return (
    <Fact name={t('Bytes')}>
      {bytesText(byteLength)} {byteLength >= 1000 && <span class="muted">{count(byteLength)}</span>}
    </Fact>
  );
}

function Shares({
  parameters,
  byteLength,
  total,
  totalBytes,
}: {
  parameters: number;
  byteLength: number;
  total: number;
  totalBytes: number;
}) {
  return (
    <>
      {parameters > 0 && (
        <Fact name={t('Share')}>
          {share(parameters / total)} <span class="muted">{t('of the parameters')}</span>
        </Fact>
      )}
      {totalBytes > 0 && (
        <Fact name={parameters > 0 ? '' : t('Share')}>
          {share(byteLength / totalBytes)} <span class="muted">{t('of the bytes')}</span>
        </Fact>
      )}
    </>
  );
}
