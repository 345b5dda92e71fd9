/**
 * exp of the mean negative log-likelihood of tokens, each predicted where it alone is masked. 1 when every token is certain; the size
 * of the vocabulary when nothing is known.
 * logLikelihoods  natural logarithms, over all tokens of the corpus
 * source          Salazar et al., Masked Language Model Scoring, ACL 2020, section 2.3 (PPPL)
 */
export function perplexityOf(logLikelihoods: readonly number[]): number {
  return Math.exp(-logLikelihoods.reduce((sum, value) => sum + value, 0) / logLikelihoods.length);
}
