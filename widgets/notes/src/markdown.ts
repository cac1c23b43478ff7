// Reads Markdown for showing: lines, and in them runs of text, each of which knows where in the source it stands. The
// text of a run is the source's own, so that a click on it leads to the same character there. A line stays a line, as
// in a note on paper. No DOM.

/** A piece of text of one look. `text` is what stands in the source at `from`. */
export interface Run {
  text: string;
  from: number;
  strong?: true;
  emphasis?: true;
  strike?: true;
  code?: true;
  /** An address that the host may open. */
  url?: string;
}

/** One line, or a block of code. */
export type Block = {
  /** Where it begins in the source. */
  from: number;
  /** Whether an empty line stands before it. */
  gap: boolean;
} & (
  | { kind: "heading"; level: 1 | 2 | 3; runs: Run[] }
  | { kind: "line" | "quote"; runs: Run[] }
  | { kind: "item"; depth: number; marker: string; runs: Run[] }
  // `at` is where the mark between the brackets stands.
  | { kind: "task"; depth: number; done: boolean; at: number; runs: Run[] }
  | { kind: "code"; runs: Run[] }
  | { kind: "rule" }
);

type Look = Omit<Run, "text" | "from">;

/** A longer line is shown as it is: it is no prose, and reading it could take long. UTF-16 units. */
const LONGEST_LINE = 4_000;

export function readMarkdown(source: string): Block[] {
  const blocks: Block[] = [];
  let gap = false;
  let code: { from: number; text: string; textFrom: number; gap: boolean } | null = null;
  let from = 0;
  for (const line of source.split("\n")) {
    const fence = /^\s{0,3}```/.test(line);
    if (code) {
      if (fence) blocks.push(codeBlock(code));
      else code.text += `${line}\n`;
      if (fence) code = null;
    } else if (fence) {
      code = { from, text: "", textFrom: from + line.length + 1, gap };
      gap = false;
    } else if (line.trim() === "") {
      gap = blocks.length > 0;
    } else {
      blocks.push(readLine(line, from, gap));
      gap = false;
    }
    from += line.length + 1;
  }
  // A block that nobody closed goes to the end.
  if (code) blocks.push(codeBlock(code));
  return blocks;
}

/** The source with the task at `at` ticked or not. Nothing else in it changes. */
export function withTask(source: string, at: number, done: boolean): string {
  return source.slice(0, at) + (done ? "x" : " ") + source.slice(at + 1);
}

/** What can be opened of an address that stands in a text: `https:` and `mailto:`, nothing else. */
export function openable(address: string): string | null {
  try {
    const url = new URL(address);
    return url.protocol === "https:" || url.protocol === "mailto:" ? url.href : null;
  } catch {
    return null;
  }
}

function codeBlock({
  from,
  text,
  textFrom,
  gap,
}: {
  from: number;
  text: string;
  textFrom: number;
  gap: boolean;
}): Block {
  return { kind: "code", from, gap, runs: [{ text: text.replace(/\n$/, ""), from: textFrom, code: true }] };
}

function readLine(line: string, from: number, gap: boolean): Block {
  const runsAfter = (skipped: number): Run[] => readRuns(line.slice(skipped), from + skipped, {});
  if (/^\s{0,3}([-*_])(?:\s*\1){2,}\s*$/.test(line)) return { kind: "rule", from, gap };
  const heading = /^(#{1,6})\s+/.exec(line);
  if (heading) {
    const level = Math.min(3, heading[1]?.length ?? 1) as 1 | 2 | 3;
    return { kind: "heading", level, from, gap, runs: runsAfter(heading[0].length) };
  }
  const quote = /^\s{0,3}>\s?/.exec(line);
  if (quote) return { kind: "quote", from, gap, runs: runsAfter(quote[0].length) };
  const item = /^(\s*)([-*+]|\d{1,9}[.)])\s+/.exec(line);
  if (item) {
    const [skipped, indent = "", marker = ""] = item;
    // Two blanks or a tab to a level, as most write it.
    const depth = Math.min(5, Math.floor(indent.replaceAll("\t", "  ").length / 2));
    const box = /^\[([ xX])\](?:\s+|$)/.exec(line.slice(skipped.length));
    if (!box)
      return {
        kind: "item",
        from,
        gap,
        depth,
        marker: /\d/.test(marker) ? marker : "•",
        runs: runsAfter(skipped.length),
      };
    const runs = runsAfter(skipped.length + box[0].length);
    return { kind: "task", from, gap, depth, done: box[1] !== " ", at: from + skipped.length + 1, runs };
  }
  return { kind: "line", from, gap, runs: readRuns(line, from, {}) };
}

/** What can begin in a line: an escaped mark, code, a link, a bare address, strong, emphasis, struck out. */
const INLINE = new RegExp(
  [
    /\\([\\`*_{}[\]()#+.!~>-])/,
    /`([^`\n]+)`/,
    /\[([^[\]\n]+)\]\(([^\s()]+(?:\([^\s()]*\)[^\s()]*)*)\)/,
    /((?:https?:\/\/|mailto:)[^\s<>"'`*]+[^\s<>"'`*.,;:!?)\]}，。；：！？）】」])/,
    /\*\*(?=\S)([^\n]*?\S)\*\*/,
    /~~(?=\S)([^\n]*?\S)~~/,
    /\*(?=[^\s*])([^*\n]*[^\s*])\*/,
    /(?<![\p{L}\p{N}_])_(?=[^\s_])([^_\n]*[^\s_])_(?![\p{L}\p{N}_])/u,
  ]
    .map((one) => one.source)
    .join("|"),
  "gu",
);

function readRuns(text: string, from: number, look: Look): Run[] {
  if (text.length > LONGEST_LINE) return [{ text, from, ...look }];
  const runs: Run[] = [];
  let done = 0;
  for (const match of text.matchAll(INLINE)) {
    const [whole, escaped, code, label, target, bare, strong, struck, star, underscore] = match;
    const at = match.index;
    if (at > done) runs.push({ text: text.slice(done, at), from: from + done, ...look });
    done = at + whole.length;
    const inner = (content: string, skipped: number, more: Look): Run[] =>
      readRuns(content, from + at + skipped, { ...look, ...more });
    if (escaped !== undefined) runs.push({ text: escaped, from: from + at + 1, ...look });
    else if (code !== undefined) runs.push({ text: code, from: from + at + 1, ...look, code: true });
    else if (label !== undefined) runs.push(...inner(label, 1, linkTo(target ?? "")));
    else if (bare !== undefined) runs.push({ text: bare, from: from + at, ...look, ...linkTo(bare) });
    else if (strong !== undefined) runs.push(...inner(strong, 2, { strong: true }));
    else if (struck !== undefined) runs.push(...inner(struck, 2, { strike: true }));
    else runs.push(...inner(star ?? underscore ?? "", 1, { emphasis: true }));
  }
  if (done < text.length) runs.push({ text: text.slice(done), from: from + done, ...look });
  return runs;
}

function linkTo(address: string): Look {
  const url = openable(address);
  return url === null ? {} : { url };
}
