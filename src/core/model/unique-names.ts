/** Hands out names that no one else has: "a", "a (2)", "a (3)". Linear, however often the same is asked for. */
export class UniqueNames {
  readonly #taken = new Set<string>();
  /** Names that are taken elsewhere, and need not be held a second time. */
  readonly #isTaken: ((name: string) => boolean) | undefined;
  /** How often a name was asked for. */
  readonly #counts = new Map<string, number>();

  /** `isTaken`: what is handed out is taken there at once, and is not remembered here. */
  constructor(isTaken?: (name: string) => boolean) {
    this.#isTaken = isTaken;
  }

  /** `numbered` says how a name is told apart from the first. */
  unique(wanted: string, numbered = (name: string, count: number): string => `${name} (${count})`): string {
    let name = wanted;
    if (this.has(name)) {
      let count = this.#counts.get(wanted) ?? 1;
      do name = numbered(wanted, ++count);
      while (this.has(name));
      this.#counts.set(wanted, count);
    }
    if (!this.#isTaken) this.#taken.add(name);
    return name;
  }

  has(name: string): boolean {
    return this.#isTaken ? this.#isTaken(name) : this.#taken.has(name);
  }
}
