// Why a version is here or is not, in Chinese, as the rest of a sentence that begins with its number.

import type { Partner, Verdict, VersionRange } from "../host/bindings";
import { momentOf, percent } from "./verdicts";

const NAMES: Record<string, string> = { app: "Moult", shell: "界面" };

const name = (subject: string) => NAMES[subject] ?? subject.slice(2);
const part = ({ subject, version }: Partner) => `${name(subject)} ${version}`;

function range({ from, below }: VersionRange): string {
  if (from && below) return `${from} 起、${below} 之前`;
  if (from) return `${from} 或更高`;
  return below ? `低于 ${below}` : "任何版本";
}

const because = (reason: string | null) => (reason ? `：${reason.replace(/[.。]$/, "")}` : "");

export function verdict(of: Verdict): string {
  switch (of.kind) {
    case "wanted":
      return "是能得到的最高版本。";
    case "wanted_before":
      return `先安装：不能直接更新到 ${of.towards}。`;
    case "wanted_downwards":
      return `将安装，你的渠道不提供 ${of.running}。`;
    case "wanted_pinned":
      return "是你固定的版本。";
    case "wanted_recalled":
      return `代替已被召回的 ${of.from}${because(of.reason)}。`;
    case "wanted_fitting":
      return `与 ${part(of.with)} 兼容，正在运行的版本不兼容。`;
    case "wanted_together":
      return `与 ${of.with.map(part).join("、")} 一起更新。`;
    case "runs":
      return "正在这里运行。";
    case "runs_recalled":
      return of.to
        ? `正在这里运行。它已被召回到 ${of.to}，但无法得到该版本。`
        : "正在这里运行。它已被召回，但没有列出替代版本。";
    case "runs_unfit":
      return `正在这里运行，但与 ${part(of.with)} 不兼容。`;
    case "not_on_channel":
      return of.offered.length > 0 ? `只在 ${of.offered.join("、")} 提供。` : "不在任何渠道提供。";
    case "pinned":
      return `不安装：你固定在 ${of.to}。`;
    case "banned":
      return "在这里运行失败，不再尝试。";
    case "skipped":
      return "被你跳过。";
    case "went_back":
      return `不安装：你回到了 ${of.to}。`;
    case "failed_before":
      return `连续失败 ${of.times} 次，下次尝试在 ${momentOf(of.next, "zh")}。`;
    case "outside_wave":
      return of.next
        ? `目前只发给 ${percent(of.share)} 的电脑，${momentOf(of.next.from, "zh")}起发给 ${percent(of.next.share)}。还没轮到这台。`
        : `目前只发给 ${percent(of.share)} 的电脑，不包括这台。`;
    case "outside_limit":
      return `暂时只发给 ${percent(of.limit)} 的电脑${because(of.reason)}。`;
    case "waves_unreadable":
      return "不发给任何人：无法读取它的发布计划。";
    case "held":
      return `已暂停发布${because(of.reason)}。`;
    case "recalled":
      return `已被召回${because(of.reason)}。`;
    case "step_first":
      return `要从 ${of.from} 起才能更新，先安装中间的版本。`;
    case "data_not_read":
      return "读不了之后写入的数据。";
    case "data_lost":
      return "读不了之后写入的数据。会恢复一份副本，其余的会丢失。";
    case "insecure":
      return `有已知漏洞，最低只能回到 ${of.min}。`;
    case "does_not_fit":
      return `需要 ${name(of.with.subject)} ${range(of.needs)}，这里是 ${of.with.version}。`;
    case "not_fitted":
      return `不符合 ${part(of.by)} 的要求：${range(of.needs)}。`;
    case "wrong_host":
      return "不适用于这个版本的 Moult。";
    case "unsigned":
      return "没有签名。";
    case "same_version_other_bytes":
      return "版本号与正在运行的相同，内容却不同。";
    case "lower":
      return "低于正在运行的版本。";
    case "surpassed":
      return "可以安装，但有更高的版本。";
  }
}
