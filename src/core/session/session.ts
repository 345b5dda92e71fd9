import type { Session } from './types.ts';

/**
 * The facade over core. Holds nothing between calls. What a call needs is loaded when it is first made: a model can be looked at
 * before the passes, the exporters and the tokenizers are there.
 */
export function createSession(): Session {
  const insides = async () => (await import('./insides.ts')).insides;
  return {
    inspect: async (...args) => (await import('./inspect.ts')).inspect(...args),
    passes: async () => (await import('./pass-infos.ts')).passInfos,
    compress: async (...args) => (await import('./compress.ts')).compress(...args),
    export: async (...args) => (await import('./export.ts')).exportModel(...args),
    compare: async (...args) => (await import('./compare.ts')).compare(...args),
    matrixDiff: async (...args) => (await import('./compare.ts')).matrixDiff(...args),
    evaluate: async (...args) => (await import('./evaluate.ts')).evaluate(...args),
    stateHeads: async (...args) => (await import('./state-heads.ts')).stateHeads(...args),
    scores: async (...args) => (await import('./scores.ts')).scores(...args),
    sensitivity: async (...args) => (await import('./sensitivity.ts')).sensitivity(...args),
    outputSpectrum: async (...args) => (await import('./output-spectrum.ts')).outputSpectrum(...args),
    ownSentences: async (...args) => (await import('./own-sentences.ts')).ownSentences(...args),
    attention: async (...args) => (await import('./attention.ts')).attention(...args),
    record: async (...args) => (await import('./record.ts')).record(...args),
    keepRecord: async (...args) => (await import('./record.ts')).keepRecord(...args),
    redundancy: async (...args) => (await import('./redundancy.ts')).redundancy(...args),
    savings: async (...args) => (await import('./savings.ts')).savings(...args),
    statistics: async (...args) => (await insides()).statistics(...args),
    heatMap: async (...args) => (await insides()).heatMap(...args),
    values: async (...args) => (await insides()).values(...args),
    exportTensor: async (...args) => (await insides()).exportTensor(...args),
    headMeasures: async (...args) => (await insides()).headMeasures(...args),
    document: async (...args) => (await import('./documents.ts')).document(...args),
    summaryDocument: async (...args) => (await import('./documents.ts')).summaryDocument(...args),
  };
}
