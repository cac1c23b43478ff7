// The note as it is read: Markdown drawn, boxes that can be ticked, links that can be opened, and the way back from a
// point of it to the place in the source. Text becomes text here and never markup. Knows no host.

import { readMarkdown } from "./markdown.js";
import type { Block, Run } from "./markdown.js";

/** What the reader can do. */
export interface Acts {
  /** Ticks the task whose mark stands at this place in the source. */
  tick(at: number, done: boolean): void;
  open(url: string): void;
}

/** The drawn note. */
export interface Reading {
  root: HTMLElement;
  /** Draws a source. Links are links only if they can be opened. */
  draw(source: string, links: boolean): void;
  /** The place in the source that is drawn at a point of the page; the end if nothing is. */
  placeAt(x: number, y: number): number;
}

export function createReading(label: string, acts: Acts): Reading {
  const root = element("div", "read");
  root.setAttribute("aria-label", label);
  root.setAttribute("role", "group");
  root.tabIndex = -1;
  let places = new WeakMap<Node, number>();
  let drawn = "";
  let length = 0;
  let tasks = 0;

  return {
    root,
    draw(source, links) {
      const now = JSON.stringify([source, links]);
      if (now === drawn) return;
      drawn = now;
      length = source.length;
      places = new WeakMap();
      tasks = 0;
      const focused = root.contains(document.activeElement) && document.activeElement?.getAttribute("data-moult-key");
      root.replaceChildren(...grouped(readMarkdown(source), links));
      if (focused) root.querySelector<HTMLElement>(`[data-moult-key="${focused}"]`)?.focus({ preventScroll: true });
    },
    placeAt(x, y) {
      const found = caretAt(root, x, y);
      const place = found ? places.get(found.node) : undefined;
      if (found && place !== undefined) return place + (found.node instanceof Text ? found.offset : 0);
      // Beside or below the text: the end of the line at that height, or the end of all.
      const lines = [...root.querySelectorAll<HTMLElement>("[data-end]")];
      const line = lines.find((one) => y <= one.getBoundingClientRect().bottom);
      return line ? Number(line.dataset["end"]) : length;
    },
  };

  /** Items that follow each other stand in one list. */
  function grouped(blocks: readonly Block[], links: boolean): HTMLElement[] {
    const top: HTMLElement[] = [];
    let list: HTMLElement | null = null;
    for (const block of blocks) {
      const made = drawBlock(block, links);
      if (block.gap) made.classList.add("gap");
      if (block.kind !== "item" && block.kind !== "task") {
        list = null;
        top.push(made);
        continue;
      }
      if (!list) top.push((list = element("ul", "items")));
      list.append(made);
    }
    return top;
  }

  function drawBlock(block: Block, links: boolean): HTMLElement {
    if (block.kind === "rule") return element("hr", "rule");
    const made = frameOf(block);
    const last = block.runs.at(-1);
    made.dataset["end"] = String(last ? last.from + last.text.length : block.from);
    const text = block.kind === "item" || block.kind === "task" ? element("span", "said") : made;
    if (text !== made) made.append(text);
    text.append(...block.runs.map((run) => drawRun(run, links)));
    return made;
  }

  function frameOf(block: Exclude<Block, { kind: "rule" }>): HTMLElement {
    switch (block.kind) {
      case "heading": {
        // The tile's own header is the first level.
        const heading = element(`h${block.level + 1}` as "h2" | "h3" | "h4", "heading");
        heading.classList.add(`level-${block.level}`);
        return heading;
      }
      case "code":
        return element("pre", "code");
      case "quote":
        return element("blockquote", "quote");
      case "item": {
        const item = element("li", "item");
        item.style.setProperty("--depth", String(block.depth));
        const marker = element("span", "marker");
        marker.textContent = block.marker;
        if (block.marker === "•") marker.setAttribute("aria-hidden", "true");
        item.append(marker);
        return item;
      }
      case "task": {
        const item = element("li", "item task");
        item.style.setProperty("--depth", String(block.depth));
        item.classList.toggle("done", block.done);
        const box = element("input", "box");
        box.type = "checkbox";
        box.checked = block.done;
        box.setAttribute("aria-label", block.runs.map(({ text }) => text).join("") || "…");
        box.setAttribute("data-moult-key", `task-${(tasks += 1)}`);
        box.addEventListener("change", () => acts.tick(block.at, box.checked));
        item.append(box);
        return item;
      }
      case "line":
        return element("p", "line");
    }
  }

  function drawRun(run: Run, links: boolean): Node {
    const text = document.createTextNode(run.text);
    places.set(text, run.from);
    let node: Node = text;
    const wrap = (name: "code" | "strong" | "em" | "s" | "a"): HTMLElement => {
      const around = element(name, "");
      around.removeAttribute("class");
      around.append(node);
      node = around;
      return around;
    };
    if (run.code) wrap("code");
    if (run.strong) wrap("strong");
    if (run.emphasis) wrap("em");
    if (run.strike) wrap("s");
    const { url } = run;
    if (url === undefined) return node;
    // Without `href`: a frame goes nowhere, the host opens.
    const link = wrap("a");
    link.title = url;
    if (!links) return link;
    link.tabIndex = 0;
    link.setAttribute("role", "link");
    link.addEventListener("click", () => acts.open(url));
    link.addEventListener("keydown", (event) => {
      if (event.key === "Enter") acts.open(url);
    });
    return link;
  }
}

/** The node of `root` that is drawn at a point, and how far into it. The field above it is looked through. */
function caretAt(root: HTMLElement, x: number, y: number): { node: Node; offset: number } | null {
  root.classList.add("felt");
  try {
    if (document.caretPositionFromPoint) {
      const found = document.caretPositionFromPoint(x, y);
      return found && root.contains(found.offsetNode) ? { node: found.offsetNode, offset: found.offset } : null;
    }
    const range = document.caretRangeFromPoint?.(x, y);
    return range && root.contains(range.startContainer)
      ? { node: range.startContainer, offset: range.startOffset }
      : null;
  } finally {
    root.classList.remove("felt");
  }
}

function element<Name extends keyof HTMLElementTagNameMap>(name: Name, className: string): HTMLElementTagNameMap[Name] {
  const created = document.createElement(name);
  created.className = className;
  return created;
}
