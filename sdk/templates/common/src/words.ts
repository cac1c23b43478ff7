// What the widget says, in English and Chinese.

const ENGLISH = {
  more: "One more",
  fewer: "One fewer",
  of: (goal: string) => `of ${goal}`,
  done: "Done for today",
  left: (count: string) => `${count} to go`,
  unanswered: "The logic does not answer.",
};

const CHINESE: typeof ENGLISH = {
  more: "加一",
  fewer: "减一",
  of: (goal) => `目标 ${goal}`,
  done: "今天已完成",
  left: (count) => `还差 ${count}`,
  unanswered: "后台逻辑没有响应。",
};

export type Words = typeof ENGLISH;

export function wordsFor(locale: string): Words {
  return locale.toLowerCase().startsWith("zh") ? CHINESE : ENGLISH;
}
