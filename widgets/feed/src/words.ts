// What the feed says, in English and Simplified Chinese, and how old things are. No DOM.

const ENGLISH = {
  title: "Feed",
  list: "Articles",
  fresh: (count: string) => `${count} new`,
  freshMark: "New",
  now: "just now",
  minutes: (count: string) => `${count} min`,
  hours: (count: string) => `${count} h`,
  denied: (host: string) => `Feed may not fetch from ${host} yet.`,
  address: "This is no address of a feed. Change it in the settings of this widget.",
  empty: "This feed has no articles.",
  never: (host: string) => `${host} can't be reached. The next try is made by itself.`,
  offline: (time: string) => `From ${time}. Renewed once online.`,
  unreached: (host: string, time: string) => `From ${time}. ${host} can't be reached.`,
  status: (host: string, status: string, time: string) => `${time}${host} answered with status ${status}.`,
  noFeed: (host: string, time: string) => `${time}What ${host} sent is no feed.`,
  from: (time: string) => `From ${time}. `,
  stale: (time: string) => `From ${time}.`,
  again: "Try again",
  loading: "The feed is fetched.",
};

const CHINESE: typeof ENGLISH = {
  title: "订阅",
  list: "文章",
  fresh: (count) => `${count} 篇新文章`,
  freshMark: "新",
  now: "刚刚",
  minutes: (count) => `${count} 分钟`,
  hours: (count) => `${count} 小时`,
  denied: (host) => `“订阅”还不能从 ${host} 获取内容。`,
  address: "这不是订阅地址。在这个组件的设置里修改。",
  empty: "这个订阅没有文章。",
  never: (host) => `无法连接 ${host}。稍后会自动重试。`,
  offline: (time) => `这是 ${time} 的内容。联网后会更新。`,
  unreached: (host, time) => `这是 ${time} 的内容。无法连接 ${host}。`,
  status: (host, status, time) => `${time}${host} 返回状态 ${status}。`,
  noFeed: (host, time) => `${time}${host} 返回的不是订阅内容。`,
  from: (time) => `这是 ${time} 的内容。`,
  stale: (time) => `这是 ${time} 的内容。`,
  again: "再试一次",
  loading: "正在获取订阅。",
};

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** What is said, and how times are written. */
export function wordsFor(locale: string) {
  const said = locale.toLowerCase().startsWith("zh") ? CHINESE : ENGLISH;
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const date = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
  const time = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  return {
    ...said,
    number: (value: number) => whole.format(value),
    /** How long ago an article was published. */
    age(at: number, now: number): string {
      const since = Math.max(0, now - at);
      if (since < MINUTE) return said.now;
      if (since < HOUR) return said.minutes(whole.format(Math.floor(since / MINUTE)));
      if (since < DAY) return said.hours(whole.format(Math.floor(since / HOUR)));
      return date.format(new Date(at));
    },
    /** When something was fetched: the time, with the day if that was not today. */
    moment(at: number, now: number): string {
      const day = new Date(at).toDateString() === new Date(now).toDateString() ? "" : `${date.format(new Date(at))} `;
      return day + time.format(new Date(at));
    },
  };
}

export type Words = ReturnType<typeof wordsFor>;
