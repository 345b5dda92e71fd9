/** Hands out names that no one else has: "a", "a (2)", "a (3)". Linear, however often the same is asked for. */
export class UniqueNames {
  readonly #taken = new Set<string>();
  /** How often a name was asked for. */
  readonly #counts = new Map<string, number>();

  /** `numbered` says how a name is told apart from the first. */
  unique(wanted: string, numbered = (name: string, count: number): string => `${name} (${count})`): string {
    let name = wanted;
    if (this.#taken.has(name)) {
      let count = this.#counts.get(wanted) ?? 1;
      do name = numbered(wanted, ++count);
      while (this.#taken.has(name));
      this.#counts.set(wanted, count);
    }
    this.#taken.add(name);
    return name;
  }

  has(name: string): boolean {
    return this.#taken.has(name);
  }
}
