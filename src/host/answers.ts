/** What was asked about one state of a file, kept until that state is gone. An answer that arrives after that is given, but not kept. */
export class Answers {
  #kept = new Map<string, unknown>();

  /** Only answers are kept: what failed or was cancelled is asked again. */
  async of<T>(question: string, ask: () => Promise<T>): Promise<T> {
    const kept = this.#kept;
    if (kept.has(question)) return kept.get(question) as T;
    const answer = await ask();
    kept.set(question, answer);
    return answer;
  }

  /** Undefined where it has not been answered. */
  known<T>(question: string): T | undefined {
    return this.#kept.get(question) as T | undefined;
  }

  drop(): void {
    this.#kept = new Map();
  }
}
