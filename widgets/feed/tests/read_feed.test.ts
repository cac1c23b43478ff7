import { expect, test } from "vitest";

import { readFeed } from "../src/read_feed.js";

const BASE = "https://blog.test/feed/";

const RSS = `<?xml version="1.0"?>
<!-- <item> in a comment is none -->
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom">
<channel>
  <title>Field &amp; Journal</title>
  <atom:link href="https://blog.test/feed/" rel="self"/>
  <image><title>Not the title</title></image>
  <item>
    <title><![CDATA[The <b>quiet</b> return &amp; the paper map]]></title>
    <link>https://blog.test/map</link>
    <guid isPermaLink="false">n1</guid>
    <pubDate>Tue, 17 Nov 2026 09:24:00 GMT</pubDate>
    <dc:creator>Ana</dc:creator>
    <media:content><media:title>Not this</media:title></media:content>
  </item>
  <item>
    <title>A &amp;amp; B &#8211; caf&amp;eacute;</title>
    <link>/relative</link>
    <pubDate>Tue, 17 Nov 2026 10:24:00 GMT</pubDate>
  </item>
</channel></rss>`;

const ATOM = `<feed xmlns="http://www.w3.org/2005/Atom">
  <title type="text">发布</title>
  <entry>
    <title type="html">&lt;em&gt;Small&lt;/em&gt; patches</title>
    <link rel="enclosure" href="https://blog.test/sound.mp3"/>
    <link href='http://blog.test/patches'/>
    <id>tag:blog.test,2026:1</id>
    <updated>2026-11-17T10:00:00Z</updated>
    <published>2026-11-16T10:00:00Z</published>
    <author><name>Bo</name></author>
  </entry>
  <entry>
    <title type="text">a &lt;b&gt; c</title>
    <link href="javascript:alert(1)"/>
    <id>2</id>
  </entry>
</feed>`;

test("RSS: newest first, prefixes and CDATA read, markup and what is nested left out", () => {
  const feed = readFeed({ text: RSS, base: BASE });
  expect(feed.title).toBe("Field & Journal");
  expect(feed.articles).toEqual([
    {
      id: "/relative",
      title: "A & B – café",
      url: "https://blog.test/relative",
      at: Date.parse("2026-11-17T10:24:00Z"),
      author: "",
    },
    {
      id: "n1",
      title: "The quiet return & the paper map",
      url: "https://blog.test/map",
      at: Date.parse("2026-11-17T09:24:00Z"),
      author: "Ana",
    },
  ]);
});

test("Atom: the alternate link, made safe; a title of type text is text to the letter", () => {
  expect(readFeed({ text: ATOM, base: BASE })).toEqual({
    title: "发布",
    articles: [
      {
        id: "tag:blog.test,2026:1",
        title: "Small patches",
        url: "https://blog.test/patches",
        at: Date.parse("2026-11-16T10:00:00Z"),
        author: "Bo",
      },
      { id: "2", title: "a <b> c", url: null, at: null, author: "" },
    ],
  });
});

function titleOf(html: string): string | undefined {
  const text = `<rss><channel><item><title><![CDATA[${html}]]></title></item></channel></rss>`;
  return readFeed({ text, base: BASE }).articles[0]?.title;
}

test.each([
  ["<script>alert(1)</script>Hello", "Hello"],
  ["<SCRIPT src=x>alert('</b>')</SCRIPT >Hello", "Hello"],
  ["<style>b{}</style><b>Bold</b>", "Bold"],
  ["<script>never closed", undefined],
  ["<img src=x onerror=alert(1)>Picture", "Picture"],
  ["a < b and c > d", "a < b and c > d"],
  ["<!-- hidden > --> seen", "seen"],
  ["one<br>two", "one two"],
  ["cut <b", "cut"],
  ["&#x202E;turned", "turned"],
  ["\u202eturned\u0000", "turned"],
  ["&#xD800;&#0;&#99999999;x&unknown;", "&#99999999;x&unknown;"],
  ["&lt;script&gt;alert(1)&lt;/script&gt;", "<script>alert(1)</script>"],
])("the title %j is shown as %j", (html, shown) => {
  expect(titleOf(html)).toBe(shown);
});

test("a title that is too long is cut, an article without one is named by its description", () => {
  expect(titleOf("x".repeat(1000))).toHaveLength(300);
  const text = "<rss><item><title/><description>&lt;p&gt;What it says&lt;/p&gt;</description></item></rss>";
  expect(readFeed({ text, base: BASE }).articles[0]?.title).toBe("What it says");
});

test("what is not well nested or cut off is read as far as it goes", () => {
  const text = "<rss><channel><item><title>One</title><b></item><item><title>Two</title></item><item><title>Thr";
  expect(readFeed({ text, base: BASE }).articles.map(({ title }) => title)).toEqual(["One", "Two"]);
});

test("an article that comes twice is there once, and no more than forty are", () => {
  const item = (name: number) => `<item><guid>${name}</guid><title>${name}</title></item>`;
  const text = `<rss>${item(1)}${item(1)}${Array.from({ length: 60 }, (_, index) => item(index)).join("")}</rss>`;
  const { articles } = readFeed({ text, base: BASE });
  expect(articles).toHaveLength(40);
  expect(new Set(articles.map(({ id }) => id)).size).toBe(40);
});

test.each(["", "Not found", "<html><body><item><title>x</title></item></body></html>", "{}"])(
  "refuses %j, which is no feed",
  (text) => {
    expect(() => readFeed({ text, base: BASE })).toThrow("no feed");
  },
);

test("a hostile feed of half a megabyte is read in one pass", () => {
  for (const bait of ["<", "&#", "<![CDATA[", "<!--", '<a b="', "<item><title>x</item>", "</a>", "<a/>"]) {
    const text = `<rss><item>${bait.repeat(Math.ceil(500_000 / bait.length))}`;
    expect(readFeed({ text, base: BASE }).articles.length).toBeLessThanOrEqual(40);
  }
});

test("what is nested deeper than any feed is none", () => {
  expect(() => readFeed({ text: `<rss><item>${"<a>".repeat(200_000)}`, base: BASE })).toThrow("too deep");
});

test("it uses nothing outside itself: its own text makes the same function", () => {
  const again = new Function(`return ${readFeed.toString()}`)() as typeof readFeed;
  expect(again({ text: RSS, base: BASE })).toEqual(readFeed({ text: RSS, base: BASE }));
});
