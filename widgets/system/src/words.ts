// What the system widget says, in English and Simplified Chinese. No DOM.

const GIB = 1024 ** 3;
const GB = 1_000_000_000;

const ENGLISH = {
  title: "System",
  span: "Last minute",
  processor: "Processor",
  memory: "Memory",
  network: "Network",
  disk: "Disk",
  denied: "System may not read this computer's figures yet.",
  cores: (count: string, one: boolean) => `${count} ${one ? "core" : "cores"}`,
  networkChart: (received: string, sent: string, most: string) =>
    `Network in the last minute: now ${received} received and ${sent} sent, highest ${most}.`,
  ofTotal: (total: string) => `of ${total} GB`,
  usedOf: (used: string, total: string) => `${used} of ${total} GB`,
  up: (rate: string) => `${rate} up`,
  since: (time: string) => `No new figures since ${time}.`,
  chart: (what: string, now: string, least: string, most: string) =>
    `${what} in the last minute: now ${now}, lowest ${least}, highest ${most}.`,
  coreChart: (count: string, least: string, most: string) =>
    `${count} cores: the idlest at ${least}, the busiest at ${most}.`,
  diskChart: (share: string) => `${share} of the disk is used.`,
};

const CHINESE: typeof ENGLISH = {
  title: "系统",
  span: "最近一分钟",
  processor: "处理器",
  memory: "内存",
  network: "网络",
  disk: "磁盘",
  denied: "“系统”还不能读取这台电脑的数据。",
  cores: (count) => `${count} 个核心`,
  networkChart: (received, sent, most) => `最近一分钟的网络：现在接收 ${received}，发送 ${sent}，最高 ${most}。`,
  ofTotal: (total) => `共 ${total} GB`,
  usedOf: (used, total) => `${used} / ${total} GB`,
  up: (rate) => `上行 ${rate}`,
  since: (time) => `${time} 之后没有新数据。`,
  chart: (what, now, least, most) => `最近一分钟的${what}：现在 ${now}，最低 ${least}，最高 ${most}。`,
  coreChart: (count, least, most) => `${count} 个核心：最闲 ${least}，最忙 ${most}。`,
  diskChart: (share) => `磁盘已用 ${share}。`,
};

/** What is said, and how figures are written. */
export function wordsFor(locale: string) {
  const said = locale.toLowerCase().startsWith("zh") ? CHINESE : ENGLISH;
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const tenth = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const fine = new Intl.NumberFormat(locale, { maximumFractionDigits: 2 });
  const time = new Intl.DateTimeFormat(locale, { timeStyle: "medium", hourCycle: "h23" });
  return {
    ...said,
    count: (value: number) => whole.format(value),
    percent: (value: number) => `${whole.format(value)} %`,
    /** Memory, counted in binary gigabytes as machines are sold. */
    memoryAmount: (bytes: number) => (bytes < 100 * GIB ? tenth : whole).format(bytes / GIB),
    /** An end of a scale: a round figure, but of as little as a quarter. */
    scaleEnd: (bytes: number) => `${fine.format(bytes / GIB)} GB`,
    /** Disks are sold in decimal gigabytes. */
    diskAmount: (bytes: number) => whole.format(bytes / GB),
    /** Bytes a second and their unit, counted in decimal steps as networks are sold. */
    rate(bytes: number): [figure: string, unit: string] {
      if (bytes < 1_000_000) return [whole.format(bytes / 1000), "kB/s"];
      if (bytes < 1_000_000_000) return [(bytes < 100_000_000 ? tenth : whole).format(bytes / 1_000_000), "MB/s"];
      return [tenth.format(bytes / 1_000_000_000), "GB/s"];
    },
    time: (at: number) => time.format(new Date(at)),
  };
}

export type Words = ReturnType<typeof wordsFor>;
