// What the feed draws: articles as text, and a line that says what is wrong with them. Text becomes text here and never
// markup. Knows no host.

import type { Article } from "./read_feed.js";
import type { Words } from "./words.js";

/** What there is to draw. */
export interface Picture {
  articles: readonly Article[];
  read: readonly string[];
  /** What the feed calls itself: an author of that name is not repeated in each row. */
  source: string;
  /** Whether articles can be opened. */
  open: boolean;
  now: number;
  /** Said below the articles, or in their place if there are none. */
  notice: string;
  offline: boolean;
  /** Whether trying again is offered. */
  again: boolean;
  /** Nothing is there yet, and something is on its way. */
  loading: boolean;
}

/** The drawn widget. */
export interface View {
  show(picture: Picture): void;
}

interface Row {
  item: HTMLElement;
  title: HTMLElement;
  about: HTMLElement;
  /** What opens it, if it can be opened. */
  link: HTMLElement | null;
}

export function createView(
  parent: HTMLElement,
  words: Words,
  acts: { open(article: Article): void; again(): void },
): View {
  const list = element("ul", "list");
  list.id = "list";
  list.setAttribute("aria-label", words.list);
  const bones = element("div", "bones");
  bones.setAttribute("aria-label", words.loading);
  bones.setAttribute("role", "img");
  bones.append(...[92, 58, 84, 60, 76].map((_, index) => element("i", `bone bone-${index + 1}`)));
  const foot = element("p", "foot");
  foot.setAttribute("role", "status");
  const cloud = icon();
  const notice = element("span", "notice");
  const again = element("button", "again");
  again.type = "button";
  again.textContent = words.again;
  again.setAttribute("data-testid", "feed-again");
  again.addEventListener("click", () => acts.again());
  foot.append(cloud, notice, again);
  parent.replaceChildren(list, bones, foot);
  const rows = new Map<string, Row>();

  /** The article that Tab leads to: one stop for the whole list, in which arrows go from article to article. */
  let current: HTMLElement | null = null;
  // Kept, not looked for in the document: a look at each drawing left 0.24 MB of each released frame (docs/swap.md).
  let links: HTMLElement[] = [];
  const rove = (): void => {
    if (!current || !links.includes(current)) current = links[0] ?? null;
    for (const link of links) link.tabIndex = link === current ? 0 : -1;
  };
  list.addEventListener("focusin", (event) => {
    current = event.target as HTMLElement;
    rove();
  });
  list.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const at = links.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key];
    if (to === undefined) return;
    links[to]?.focus();
    event.preventDefault();
  });

  return {
    show(picture) {
      const { articles, loading } = picture;
      list.hidden = articles.length === 0;
      bones.hidden = !loading;
      drawRows(picture);
      rove();
      parent.classList.toggle("bare", articles.length === 0 && !loading);
      foot.hidden = picture.notice === "";
      setText(notice, picture.notice);
      cloud.classList.toggle("off", !picture.offline);
      again.hidden = !picture.again;
    },
  };

  function drawRows({ articles, read, source, open, now }: Picture): void {
    const here = new Set(articles.map(({ id }) => id));
    for (const [id, { item }] of rows) {
      if (here.has(id)) continue;
      item.remove();
      rows.delete(id);
    }
    links = [];
    articles.forEach((article, index) => {
      const opens = open && article.url !== null;
      let row = rows.get(article.id);
      if (!row || (row.link !== null) !== opens) {
        row?.item.remove();
        row = createRow(article, opens);
        rows.set(article.id, row);
      }
      if (row.link) links.push(row.link);
      const fresh = !read.includes(article.id);
      row.item.classList.toggle("fresh", fresh);
      setText(row.title, article.title);
      const author = article.author === source ? "" : article.author || hostOf(article.url, source);
      const age = article.at === null ? "" : words.age(article.at, now);
      setText(row.about, [author, age].filter(Boolean).join(" · "));
      if (list.children[index] !== row.item) list.insertBefore(row.item, list.children[index] ?? null);
    });
  }

  function createRow(article: Article, opens: boolean): Row {
    const item = element("li", "row");
    const title = element("span", "title");
    const about = element("span", "about number");
    let link: HTMLButtonElement | null = null;
    if (opens) {
      link = element("button", "link");
      link.type = "button";
      link.setAttribute("role", "link");
      link.setAttribute("data-moult-key", `article-${article.id}`);
      link.addEventListener("click", () => acts.open(article));
      link.append(title, about);
      item.append(link);
    } else {
      item.append(title, about);
    }
    return { item, title, about, link };
  }
}

/** The host of an article that lies elsewhere than its feed says; nothing for one without an address. */
function hostOf(url: string | null, source: string): string {
  if (url === null) return "";
  const host = new URL(url).hostname.replace(/^www\./, "");
  return host === source ? "" : host;
}

function setText(target: HTMLElement, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

/** A cloud that is crossed out, drawn after Lucide. */
function icon(): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("cloud");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "M3 3l18 18M6 7.5A7 7 0 0 0 9 19h9M10 5.2a7 7 0 0 1 6.4 4.8h1.1a4.5 4.5 0 0 1 3.2 7.6");
  svg.append(path);
  return svg;
}

function element<Name extends keyof HTMLElementTagNameMap>(name: Name, className: string): HTMLElementTagNameMap[Name] {
  const created = document.createElement(name);
  created.className = className;
  return created;
}
