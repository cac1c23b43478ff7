// Reads RSS and Atom to plain text. A feed is a stranger's text: it is read as characters and never becomes markup.
// One function that uses nothing outside itself, since it is handed to a worker as its text. No clock, no DOM.

/** An article, all of it plain text. */
export interface Article {
  /** Names it in its feed. */
  id: string;
  title: string;
  /** An `https:` address, or null. */
  url: string | null;
  /** When it was published, in milliseconds since 1970, or null. */
  at: number | null;
  author: string;
}

export interface Feed {
  title: string;
  articles: Article[];
}

/** Reads a feed; throws on text that is none. `base` is where it came from: addresses in it may be relative. */
export function readFeed({ text, base }: { text: string; base: string }): Feed {
  const MOST = 40;
  const DEEPEST = 60;
  const LONGEST = { title: 300, author: 80, id: 500, url: 2000 };
  const ENTITIES: Record<string, string> = {
    amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " ", hellip: "…", mdash: "—", ndash: "–", lsquo: "‘",
    rsquo: "’", ldquo: "“", rdquo: "”", laquo: "«", raquo: "»", middot: "·", copy: "©", reg: "®", trade: "™",
    euro: "€", pound: "£", deg: "°", times: "×", eacute: "é", egrave: "è", agrave: "à", ccedil: "ç", ouml: "ö",
    uuml: "ü", auml: "ä", szlig: "ß", ntilde: "ñ", aring: "å", oslash: "ø",
  }; // prettier-ignore

  const decode = (encoded: string): string =>
    encoded.replace(/&(#x[0-9a-f]{1,6}|#\d{1,7}|[a-z]{2,8});/gi, (whole, name: string) => {
      if (!name.startsWith("#")) return ENTITIES[name] ?? ENTITIES[name.toLowerCase()] ?? whole;
      const code = /^#x/i.test(name) ? parseInt(name.slice(2), 16) : Number(name.slice(1));
      return code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : "";
    });

  /** HTML without its tags, comments, scripts and styles. */
  const strip = (html: string): string => {
    let plain = "";
    let at = 0;
    while (at < html.length) {
      const open = html.indexOf("<", at);
      if (open < 0 || !/[a-z/!?]/i.test(html[open + 1] ?? "")) {
        // A bare "<", as in "a < b", is text.
        const end = open < 0 ? html.length : open + 1;
        plain += html.slice(at, end);
        at = end;
        continue;
      }
      plain += html.slice(at, open);
      const comment = html.startsWith("<!--", open);
      const close = html.indexOf(comment ? "-->" : ">", open);
      if (close < 0) break;
      at = close + (comment ? 3 : 1);
      const name = /^<(script|style)\b/i.exec(html.slice(open, open + 8))?.[1];
      if (name) {
        const ends = html.slice(at).search(new RegExp(`</${name}`, "i"));
        at = ends < 0 ? html.length : at + ends;
      }
      plain += " ";
    }
    return decode(plain);
  };

  const tidy = (raw: string, longest: number): string => {
    // Without control characters and those that turn the direction of what stands beside them.
    const clean = raw.replace(/\s+/g, " ").replace(/[\p{Cc}\p{Bidi_Control}]/gu, "");
    const short = clean.trim();
    return short.length > longest ? `${short.slice(0, longest - 1).trimEnd()}…` : short;
  };

  const addressOf = (raw: string): string | null => {
    try {
      const url = new URL(raw.trim(), base);
      // Pages that are still named without encryption are nearly all there with it, and only those can be opened.
      if (url.protocol === "http:") url.protocol = "https:";
      return url.protocol === "https:" && url.href.length <= LONGEST.url ? url.href : null;
    } catch {
      return null;
    }
  };

  const timeOf = (raw: string): number | null => {
    const at = Date.parse(raw.trim());
    return Number.isFinite(at) ? at : null;
  };

  const attributesOf = (tag: string): Record<string, string> => {
    const found: Record<string, string> = {};
    for (const [, name = "", , double, single] of tag.matchAll(/([\w:.-]+)\s*=\s*("([^"]*)"|'([^']*)')/g)) {
      found[name.toLowerCase()] = decode(double ?? single ?? "");
    }
    return found;
  };

  const feed: Feed = { title: "", articles: [] };
  const path: string[] = [];
  let article: Record<string, string> | null = null;
  let isFeed = false;
  let content = "";
  let kind = "";
  let at = 0;

  /** Where the present element lies in its article or feed, whatever prefix it has. */
  const here = (): string => {
    let top = path.length;
    while (top > 0 && !/^(item|entry|channel|feed)$/.test(path[top - 1] ?? "")) top -= 1;
    return path.slice(top).join("/");
  };

  const begin = (tag: string, name: string): void => {
    if (path.push(name) > DEEPEST) throw new TypeError("The answer is nested too deep for a feed.");
    if (name === "item" || name === "entry") article = {};
    if (/^(rss|rdf|feed)$/.test(name)) isFeed = true;
    const attributes = attributesOf(tag);
    content = "";
    kind = attributes["type"] ?? "";
    if (article && here() === "link" && attributes["href"] !== undefined) {
      const rel = attributes["rel"] ?? "alternate";
      if (rel === "alternate" && article["link"] === undefined) article["link"] = attributes["href"];
    }
  };

  const end = (name: string): void => {
    if (path.at(-1) !== name) {
      // A feed that is not well nested: go back to where the element began, if it did.
      const last = path.lastIndexOf(name);
      if (last < 0) return;
      path.length = last + 1;
    }
    const place = here();
    if (article && (name === "item" || name === "entry")) {
      take(article);
      article = null;
    } else if (article && !(place in article) && content.trim() !== "") {
      article[place] = content;
      if (place === "title") article["kind"] = kind;
    } else if (!article && place === "title" && feed.title === "") {
      feed.title = tidy(kind === "text" ? content : strip(content), LONGEST.author);
    }
    path.pop();
    content = "";
  };

  const take = (raw: Record<string, string>): void => {
    const first = (...names: string[]): string =>
      names.map((name) => raw[name]).find((value) => value !== undefined) ?? "";
    const plain = raw["kind"] === "text" ? (value: string) => value : strip;
    const link = first("link", "guid", "id");
    const title = tidy(plain(first("title")), LONGEST.title) || tidy(strip(first("description", "summary")), 120);
    if (title === "") return;
    const url = link === "" ? null : addressOf(link);
    feed.articles.push({
      id: tidy(first("guid", "id", "link", "title"), LONGEST.id),
      title,
      url,
      at: timeOf(first("pubdate", "published", "updated", "date")),
      author: tidy(strip(first("creator", "author/name", "author", "source")), LONGEST.author),
    });
  };

  while (at < text.length) {
    const open = text.indexOf("<", at);
    if (open < 0) break;
    content += decode(text.slice(at, open));
    if (text.startsWith("<![CDATA[", open)) {
      const close = text.indexOf("]]>", open);
      content += text.slice(open + 9, close < 0 ? text.length : close);
      at = close < 0 ? text.length : close + 3;
      continue;
    }
    const comment = text.startsWith("<!--", open);
    const close = text.indexOf(comment ? "-->" : ">", open);
    if (close < 0) break;
    at = close + (comment ? 3 : 1);
    if (comment || text[open + 1] === "!" || text[open + 1] === "?") continue;
    const tag = text.slice(open + 1, close);
    const name = (/^\/?\s*([^\s/>]+)/.exec(tag)?.[1] ?? "").toLowerCase().replace(/^.*:/, "");
    if (tag.startsWith("/")) end(name);
    else {
      begin(tag, name);
      if (tag.endsWith("/")) end(name);
    }
  }
  if (!isFeed) throw new TypeError("The answer is no feed.");
  const seen = new Set<string>();
  const fresh = feed.articles.filter(({ id }) => !seen.has(id) && seen.add(id));
  fresh.sort((one, other) => (other.at ?? 0) - (one.at ?? 0));
  return { title: feed.title, articles: fresh.slice(0, MOST) };
}
