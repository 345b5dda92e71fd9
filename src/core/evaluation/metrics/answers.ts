/**
 * An answer as SQuAD compares it: small letters, no punctuation, no articles, single spaces.
 * source  Rajpurkar et al. 2016, evaluate-v1.1.py, normalize_answer
 */
export function normalizedAnswer(text: string): string {
  return text
    .toLowerCase()
    .replace(/[!-/:-@[-`{-~]/g, '')
    .replace(/\b(a|an|the)\b/gu, ' ')
    .split(/\s+/)
    .filter(word => word !== '')
    .join(' ');
}

/** The best over the answers that are right, mean over questions; a question without one has the answer ''. */
export function bestOf(
  score: (predicted: string, right: string) => number,
): (predicted: readonly string[], expected: readonly (readonly string[])[]) => number {
  return (predicted, expected) =>
    predicted.reduce((sum, answer, i) => {
      const right = expected[i]!.length === 0 ? [''] : expected[i]!;
      return sum + Math.max(...right.map(each => score(answer, each)));
    }, 0) / predicted.length;
}
