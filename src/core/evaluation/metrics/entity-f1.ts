import { sentence } from '../../errors.ts';
import { entitiesOf, entityF1Of } from './entities.ts';
import type { EntityMetric } from './metric.ts';

/** As CoNLL-2003 is scored: F1 of whole entities, tags read as conlleval reads them. */
export const entityF1: EntityMetric = {
  id: 'entity-f1',
  title: sentence('F1 of entities'),
  kind: 'token-classification',
  usual: true,
  of: (predicted, expected) => entityF1Of(entitiesOf, predicted, expected),
};
