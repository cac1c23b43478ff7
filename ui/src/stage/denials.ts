// What a frame tried and was denied, for the log. Pure: a flood of attempts must not become a flood of lines.

/** How many kinds of denials of one load are told. */
const KINDS = 200;

export class Denials {
  readonly #times = new Map<string, number>();

  /** Notes an attempt. What is to be told of it: the first time, the tenth, the hundredth, and so on. */
  note(tried: string): string | null {
    const times = (this.#times.get(tried) ?? 0) + 1;
    if (times === 1 && this.#times.size >= KINDS) return null;
    this.#times.set(tried, times);
    if (!/^10*$/.test(String(times))) return null;
    return times > 1 ? `${tried} (${times} times)` : tried;
  }
}
