import { sentence } from '../../errors.ts';
import { entityF1Of, strictEntitiesOf } from './entities.ts';
import type { EntityMetric } from './metric.ts';

/** The same over well-formed IOB2 alone: what begins with I is no entity. */
export const entityF1Strict: EntityMetric = {
  id: 'entity-f1-strict',
  title: sentence('F1 of entities, IOB2 read strictly'),
  kind: 'token-classification',
  usual: false,
  of: (predicted, expected) => entityF1Of(strictEntitiesOf, predicted, expected),
};
