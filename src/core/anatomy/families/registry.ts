import { albert } from './albert.ts';
import { bert } from './bert.ts';
import { camembert } from './camembert.ts';
import { convbert } from './convbert.ts';
import { deberta } from './deberta.ts';
import { debertaV2 } from './deberta-v2.ts';
import { distilbert } from './distilbert.ts';
import { electra } from './electra.ts';
import { ernie } from './ernie.ts';
import { eurobert } from './eurobert.ts';
import type { Family } from './family.ts';
import { gte } from './gte.ts';
import { layoutlm, layoutlmv3 } from './layoutlm.ts';
import { mobilebert } from './mobilebert.ts';
import { modernbert } from './modernbert.ts';
import { mpnet } from './mpnet.ts';
import { jinaV3, nomic } from './nomic.ts';
import { esm, megatronBert, robertaPreLayerNorm } from './prelayernorm.ts';
import { rembert } from './rembert.ts';
import { roberta } from './roberta.ts';
import { roformer } from './roformer.ts';
import { squeezebert } from './squeezebert.ts';
import { xlmRoberta } from './xlm-roberta.ts';

/** Families with names of their own. */
const apart = [distilbert, albert, mpnet, deberta, debertaV2, squeezebert, modernbert, jinaV3, nomic, gte, eurobert];
/** Families with BERT's names; those that are told by more come before those whose names they share. */
const alike = [convbert, mobilebert, layoutlmv3, layoutlm, rembert, roformer, esm, megatronBert, robertaPreLayerNorm];

/** Every family. To add one: a file, and its name here. */
export const families: readonly Family[] = [...apart, ...alike, electra, ernie, xlmRoberta, camembert, roberta, bert];

/** The family of a model_type. */
export const familyOf = (modelType: unknown): Family | undefined =>
  families.find(family => family.id === modelType || family.alike.includes(String(modelType)));
