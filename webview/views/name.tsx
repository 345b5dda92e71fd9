import { visibleName } from '../layout/names.ts';

/** A name from a file: text only, control characters visible, direction marks kept inside. */
export function Name({ children, limit }: { children: string; limit?: number }) {
  return <bdi>{visibleName(children, limit)}</bdi>;
}
