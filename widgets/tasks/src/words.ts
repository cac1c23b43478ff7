// What the tasks say, in English and Simplified Chinese. No DOM.

const ENGLISH = {
  title: "Tasks",
  list: "Tasks",
  empty: "Nothing to do.",
  add: "New task",
  full: "The list is full. Remove something first.",
  text: "Task",
  done: (text: string) => `Done: ${text}`,
  grip: (text: string) => `Move “${text}”: arrow up or down`,
  remove: (text: string) => `Remove “${text}”`,
  count: (done: string, all: string) => `${done} of ${all}`,
  clear: (count: string) => `Clear ${count} done`,
  removed: (text: string) => `Removed “${text}”.`,
  removedMany: (count: string) => `Removed ${count} tasks.`,
  undo: "Undo",
  back: "Taken back.",
  moved: (text: string, place: string, all: string) => `“${text}” is ${place} of ${all}.`,
};

const CHINESE: typeof ENGLISH = {
  title: "任务",
  list: "任务",
  empty: "没有要做的事。",
  add: "新任务",
  full: "列表已满。先移除一些任务。",
  text: "任务",
  done: (text) => `完成：${text}`,
  grip: (text) => `移动“${text}”：按上下方向键`,
  remove: (text) => `移除“${text}”`,
  count: (done, all) => `${done} / ${all}`,
  clear: (count) => `清除 ${count} 项已完成`,
  removed: (text) => `已移除“${text}”。`,
  removedMany: (count) => `已移除 ${count} 项任务。`,
  undo: "撤销",
  back: "已恢复。",
  moved: (text, place, all) => `“${text}”现在是第 ${place} 项，共 ${all} 项。`,
};

/** What is said, and how figures are written. */
export function wordsFor(locale: string) {
  const said = locale.toLowerCase().startsWith("zh") ? CHINESE : ENGLISH;
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  return { ...said, number: (value: number) => whole.format(value) };
}

export type Words = ReturnType<typeof wordsFor>;
