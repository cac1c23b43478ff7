// The Pomodoro's words and formats in English and Simplified Chinese. No clock, no DOM.

import type { Phase } from "./rounds.js";

const ENGLISH = {
  title: "Pomodoro",
  phases: { work: "Focus", rest: "Break", long_rest: "Long break" } as Record<Phase, string>,
  subject: "What you work on",
  subjectHint: "What are you working on?",
  start: "Start",
  resume: "Go on",
  pause: "Pause",
  skip: "Skip",
  reset: "Start over",
  of: (minutes: string) => `of ${minutes} min`,
  until: (time: string) => `Until ${time}`,
  paused: "Paused",
  ready: "Ready",
  next: (what: string, minutes: string) => `Then ${what.toLowerCase()}, ${minutes} min`,
  round: (number: string, rounds: string) => `Round ${number} of ${rounds}`,
  today: (count: string, one: boolean) => `${count} ${one ? "round" : "rounds"} today`,
  dial: (phase: string, left: string, all: string) => `${phase}: ${left} of ${all} min left`,
  ended: { work: "Time for a break", rest: "Back to work", long_rest: "Back to work" } as Record<Phase, string>,
  follows: (what: string, minutes: string) => `${what}, ${minutes} min`,
};

const CHINESE: typeof ENGLISH = {
  title: "番茄钟",
  phases: { work: "专注", rest: "休息", long_rest: "长休息" },
  subject: "正在做的事",
  subjectHint: "你在做什么？",
  start: "开始",
  resume: "继续",
  pause: "暂停",
  skip: "跳过",
  reset: "重新计时",
  of: (minutes) => `共 ${minutes} 分钟`,
  until: (time) => `到 ${time}`,
  paused: "已暂停",
  ready: "未开始",
  next: (what, minutes) => `然后${what} ${minutes} 分钟`,
  round: (number, rounds) => `第 ${number} 轮，共 ${rounds} 轮`,
  today: (count) => `今天 ${count} 轮`,
  dial: (phase, left, all) => `${phase}：还剩 ${left} 分钟，共 ${all} 分钟`,
  ended: { work: "该休息了", rest: "该专注了", long_rest: "该专注了" },
  follows: (what, minutes) => `${what} ${minutes} 分钟`,
};

/** What is said, and how figures are written. */
export function wordsFor(locale: string) {
  const said = locale.toLowerCase().startsWith("zh") ? CHINESE : ENGLISH;
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const time = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  return {
    ...said,
    number: (value: number) => whole.format(value),
    time: (at: number) => time.format(new Date(at)),
    /** What is left, as a clock shows it: the second that has begun counts. */
    left(milliseconds: number) {
      const seconds = Math.ceil(milliseconds / 1000);
      const two = (value: number): string => String(value).padStart(2, "0");
      return `${two(Math.floor(seconds / 60))}:${two(seconds % 60)}`;
    },
  };
}

export type Words = ReturnType<typeof wordsFor>;
