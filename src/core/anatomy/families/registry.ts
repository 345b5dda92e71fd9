import { albert } from './albert.ts';
import { bert } from './bert.ts';
import { distilbert } from './distilbert.ts';
import { electra } from './electra.ts';
import type { Family } from './family.ts';
import { roberta } from './roberta.ts';

/** Every family; those that are told by more come before those whose names they share. To add one: a file, and a line here. */
export const families: readonly Family[] = [distilbert, albert, electra, roberta, bert];

/** The family of a model_type. */
export const familyOf = (modelType: unknown): Family | undefined =>
  families.find(family => family.id === modelType || family.alike.includes(String(modelType)));
