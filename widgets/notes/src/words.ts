// The notes' words in English and Simplified Chinese, how old an edit is, and how long a text. No DOM.

/** What the notes say. */
export interface Words {
  title: string;
  body: string;
  /** The field that the note is written in. */
  source: string;
  /** The header of a note without any text; `body` is that of one without a title. */
  untitled: string;
  placeholder: string;
  /** How long ago an edit was; nothing if there was none. */
  age(edited: string | null, now: number): string;
  /** How long the text is. */
  length(text: string): string;
}

const ENGLISH = {
  title: "Title",
  body: "Note",
  source: "Note, as it is written",
  untitled: "New note",
  placeholder: "Write something",
  now: "just now",
  minutes: (count: string) => `${count} min ago`,
  hours: (count: string) => `${count} h ago`,
  words: (count: string, one: boolean) => `${count} ${one ? "word" : "words"}`,
  characters: (count: string, one: boolean) => `${count} ${one ? "character" : "characters"}`,
};

const CHINESE: typeof ENGLISH = {
  title: "标题",
  body: "便笺",
  source: "便笺原文",
  untitled: "新便笺",
  placeholder: "写点什么",
  now: "刚刚",
  minutes: (count) => `${count} 分钟前`,
  hours: (count) => `${count} 小时前`,
  words: (count) => `${count} 字`,
  characters: (count) => `${count} 个字符`,
};

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export function wordsFor(locale: string): Words {
  const said = locale.toLowerCase().startsWith("zh") ? CHINESE : ENGLISH;
  const number = new Intl.NumberFormat(locale);
  const date = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
  return {
    ...said,
    age(edited, now) {
      if (edited === null) return "";
      // A clock that was set back makes an edit seem to lie ahead.
      const since = Math.max(0, now - Date.parse(edited));
      if (since < MINUTE) return said.now;
      if (since < HOUR) return said.minutes(number.format(Math.floor(since / MINUTE)));
      if (since < DAY) return said.hours(number.format(Math.floor(since / HOUR)));
      return date.format(new Date(edited));
    },
    length(text) {
      const { words, characters } = count(text);
      return `${said.words(number.format(words), words === 1)} · ${said.characters(number.format(characters), characters === 1)}`;
    },
  };
}

/** Characters that are words by themselves, or else letters and digits, joined by one mark between them. */
const WORD =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|(?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}])[\p{L}\p{N}\p{M}])+(?:['’.,-](?:(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}])[\p{L}\p{N}\p{M}])+)*/gu;

/** How many words and characters a text has; line breaks are no characters. A Chinese character is a word. */
export function count(text: string): { words: number; characters: number } {
  let characters = 0;
  for (const character of text) if (character !== "\n") characters += 1;
  return { words: text.match(WORD)?.length ?? 0, characters };
}
