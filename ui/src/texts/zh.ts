// What the shell says, in Simplified Chinese. 你, full-width punctuation, a space between Chinese and digits.

import type { ErrorCode, HistoryEntry, Mode, NotTried, Obstacle, Problem, Theme } from "../host/bindings";
import type { Stage, Status } from "../state/parts";
import type { Texts } from "./en";
import * as format from "./format";
import { roughly } from "./format";
import { verdict } from "./verdicts.zh";

/** Why a version went away, after its number. */
const CAUSES: Partial<Record<ErrorCode, string>> = {
  hung: "没有响应。",
  too_many_errors: "做的事有太多出错。",
  answers_differ: "在旁边试运行时，后台逻辑的回答不同。",
  crashed: "出错停止。",
  state_refused: "无法接手原有内容。",
  switch_failed: "没有准备好。",
  signature_invalid: "未能安装。文件与签名不符，已删除。",
  file_corrupt: "未能安装。下载的文件已损坏，已删除。",
  patch_failed: "未能安装。无法用这里的文件重建。",
  disk_full: "未能安装。磁盘已满。",
  disk_failed: "未能安装。磁盘拒绝写入。",
  bundle_invalid: "未能安装。它不适用于这个版本的 Moult。",
  server_refused: "未能安装。服务器拒绝提供文件。",
  server_failed: "未能安装。服务器没有响应。",
  captive_portal: "未能安装。这个网络要求先登录。",
  file_held: "未能安装。另一个程序（很可能是杀毒软件）占用或拿走了文件。",
};

/** What went wrong, for problems that are not about one version. */
const HAPPENED: Record<ErrorCode, string> = {
  offline: "没有网络。",
  server_refused: "服务器拒绝了请求。",
  server_failed: "服务器没有响应。",
  captive_portal: "这个网络要求先登录。",
  metadata_invalid: "仓库的签名信息有误。",
  metadata_expired: "仓库的签名信息已过期。",
  metadata_replayed: "仓库给出的信息比以前见过的旧。",
  floor_not_written: "无法把已确认的信息写入磁盘，因此没有安装。",
  index_invalid: "仓库的目录有误。",
  file_corrupt: "文件已损坏。",
  signature_invalid: "文件与签名不符。",
  patch_failed: "补丁无法应用。",
  disk_full: "磁盘已满。",
  disk_failed: "磁盘拒绝读写。",
  file_held: "另一个程序（很可能是杀毒软件）占用或拿走了文件。",
  bundle_invalid: "这个版本不适用于这里。",
  switch_failed: "新版本没有准备好。",
  state_refused: "新版本无法接手原有内容。",
  crashed: "新版本出错停止。",
  hung: "新版本没有响应。",
  too_many_errors: "新版本做的事有太多出错。",
  answers_differ: "新版本的后台逻辑与正在运行的版本回答不同。",
  consent_needed: "需要你的许可。",
  not_declared: "小组件没有声明需要这项权限。",
  invalid_request: "请求无效。",
  rate_limited: "请求过于频繁。",
  too_large: "内容过大。",
  quota_exceeded: "小组件的存储空间已满。",
  too_many: "数量已达上限。",
  timed_out: "没有及时得到回应。",
  cancelled: "已取消。",
  internal: "Moult 内部出错。",
};

/** Why the start of a new version could not be counted, and what to do about it. */
const OBSTACLES: Record<Obstacle, [because: string, advice: string]> = {
  disk_full: ["磁盘已满，无法记录这次启动。", "腾出空间，再启动 Moult。"],
  too_many_files: ["这台电脑打开的文件过多，无法记录这次启动。", "关闭一些程序，再启动 Moult。"],
  not_writable: ["Moult 无权写入自己的文件夹，无法记录这次启动。", "允许写入，再启动 Moult。"],
  disk_failed: ["磁盘拒绝写入，无法记录这次启动。", "再启动 Moult。如果仍然如此，检查磁盘。"],
  busy: ["另一个进程占用了版本清单，无法记录这次启动。", "再启动 Moult。如果仍然如此，注销后重新登录。"],
  other: ["无法记录这次启动。", "再启动 Moult。如果仍然如此，在设置中保存报告。"],
};

const CAPABILITIES: Record<string, string> = {
  "system.figures": "读取处理器、内存、磁盘和网络数据",
  network: "访问它列出的网站",
  storage: "在这台电脑上保存内容",
  notifications: "显示通知",
  "clipboard.write": "在你点按时写入剪贴板",
  "open.url": "在你点按时用浏览器打开网址",
  timers: "自行定时唤醒",
  bus: "与它列出的小组件互发消息",
  shared: "与它列出的小组件共享数据",
};

export const zh: Texts = {
  language: "zh" as Texts["language"],
  app: "Moult",
  desk: "桌面",
  boards: "面板",
  settings: "设置",
  updates: "更新",
  close: "关闭",
  undo: "撤销",
  sentences: (...all) => all.filter(Boolean).join(""),

  status(status: Status): string {
    switch (status.kind) {
      case "current":
        return "全部为最新";
      case "unchecked":
        return "尚未检查";
      case "on_its_way":
        return `${status.count} 项正在更新`;
      case "needs_you":
        return `${status.count} 项等你决定`;
      case "offline":
        return "没有网络";
      case "check_failed":
        return "检查未成";
    }
  },

  board: {
    empty: "桌面上还没有小组件。",
    emptyAction: "添加小组件",
    add: "添加小组件",
    addNone: "没有安装小组件。",
    menu: (name) => `${name}：版本与大小`,
    updated: (version) => `已更新到 ${version}`,
    waits: (version) => `${version} 等待中`,
    asks: "等你决定",
    fetching: (version) => `${version}，下载中`,
    rebuilding: (version) => `${version}，重建中`,
    ready: (version) => `${version} 已就绪`,
    failed: (name) => `无法显示“${name}”。`,
    failedKept: "它的内容都在。",
    versionOf: (name, version) => `${name} ${version}`,
    cameWith: "随 Moult 安装",
    size: "大小",
    settings: "设置…",
    remove: "从桌面移除",
    removed: (name) => `已从桌面移除“${name}”，内容都在。`,
    history: "发生了什么",
    logicRestarts: "正在重新启动",
    logicOff: "已停止",
    logicStart: "重新启动",
    logicSays: (off) => (off ? "它的后台逻辑多次出错，已停止。" : "它的后台逻辑出错，正带着原有内容重新启动。"),
    shadow: ({ version, answers, seconds }) => {
      const left = [
        ...(answers > 0 ? [`${answers} 次相同的回答`] : []),
        ...(seconds > 0 ? [format.span(roughly(seconds), "zh")] : []),
      ];
      return `${version} 正在旁边试运行：还差 ${left.join("、")}`;
    },
    held: (version: string) => `停留在 ${version}`,
    heldMore: "这个组件不会更新。",
    hold: (version: string) => `让这个组件停留在 ${version}`,
    follow: (version: string) => `将这个组件更新到 ${version}`,
    developer: "开发者",
    trouble: "最新版本无法运行，当前显示的是之前的版本。",
    threw: "出现错误。",
  },

  goBack: (version) => `回到 ${version}`,
  goBackShort: "回退",
  wentBack: (name, version) => `“${name}”将回到 ${version}。`,

  strip: {
    whatHappened: "发生了什么",
    gotIt: "知道了",
    head: (entry: HistoryEntry) => (entry.outcome === "rolled_back" && entry.from ? `已回到 ${entry.from}。` : ""),
    rest: (entry: HistoryEntry) => zh.sentences(zh.cause(entry.to, entry.problems.at(-1)), zh.kept(entry)),
  },

  held: {
    did: {
      hung: (name: string, version: string) => `${name} ${version} 让整个面板停住了。`,
      memory: (name: string, version: string) => `${name} ${version} 占满了内存。`,
      flood: (name: string, version: string) => `${name} ${version} 不停地发送消息。`,
      keyboard: (name: string, version: string) => `${name} ${version} 抢走了你的键盘。`,
    },
    kept: "已停止，在你要求之前不会再运行。内容已保留。",
    again: "再试一次",
  },

  notTried: {
    head: ({ version }: NotTried) => `${version} 没有启动。`,
    rest({ version, because }: NotTried, running: string): string {
      const [happened, advice] = OBSTACLES[because];
      return zh.sentences(happened, `${running} 照常运行，${version} 仍已安装。`, advice);
    },
  },

  cause(version: string, problem: Problem | undefined): string {
    const cause = problem && CAUSES[problem.code];
    if (cause) return `${version} ${cause}`;
    return problem ? `${version} 未能安装。${HAPPENED[problem.code]}` : `${version} 在这里无法运行。`;
  },

  kept(entry: HistoryEntry): string {
    if (entry.outcome === "rolled_back") return "内容都在。";
    return entry.from ? `${entry.from} 照常运行。` : "没有改动任何内容。";
  },

  problem: ({ code }: Problem) => HAPPENED[code],

  consent: {
    asks: (name) => `“${name}”请求`,
    one: (capability) => CAPABILITIES[capability] ?? `使用“${capability}”`,
    reason: (reason) => reason,
    goesOn: (version) => `你决定之前，${version} 照常运行。`,
    allow: "允许",
    notNow: "暂不",
  },

  form: {
    title: (name) => `“${name}”的设置`,
    more: "改动立即生效。与默认不同的带有边框。",
    reset: "恢复默认",
    resetOf: (title) => `恢复默认：${title}`,
    pick: (title) => `${title}：选择颜色`,
    ownZone: "这台电脑的时区",
    noZone: "没有这个地点。",
    fault(fault, unit) {
      const behind = unit && ` ${unit}`;
      switch (fault.kind) {
        case "number":
          return "这不是数字。继续使用原来的值。";
        case "range":
          return `范围为 ${fault.min} 到 ${fault.max}${behind}。继续使用原来的值。`;
        case "step":
          return `每步 ${fault.step}：可用 ${fault.below} 或 ${fault.above}${behind}。继续使用原来的值。`;
        case "long":
          return `最多 ${fault.most} 个字符，超出 ${fault.over} 个。继续使用原来的文字。`;
        case "color":
          return "颜色是六位数字，0 到 9 和 a 到 f。继续使用原来的颜色。";
        case "other":
          return "这里不能这样选。继续使用原来的值。";
      }
    },
  },

  phases: {
    found: "发现",
    planned: "计划",
    fetching: "下载",
    rebuilding: "重建",
    verifying: "验证",
    switching: "切换",
    confirming: "确认",
    scheduled: "排队",
    waiting: "等你决定",
    rolling_back: "退回",
  } satisfies Record<Stage | "scheduled" | "waiting" | "rolling_back", string>,

  update: {
    title: "更新",
    checked: (time) => `${time} 检查过。`,
    checkedNext: (time, next) => `${time} 检查过，${next} 再次检查。`,
    unchecked: "尚未检查。",
    nothingStops: "更新时桌面照常使用。",
    allCurrent: "全部为最新。",
    checkNow: "立即检查",
    checking: "检查中",
    lastGood: (time) => `上次检查于 ${time}。`,
    onWay: "正在更新",
    from: (version) => `原为 ${version}`,
    firstTime: "首次安装",
    signedBy: (publisher) => `由 ${publisher} 签名`,
    of: (part, whole) => ({ figure: part, rest: `/ ${whole}` }),
    saved: (size) => ({ figure: size, rest: "已节省" }),
    waitsForQuiet: "等你停手片刻",
    waitsForYou: "在桌面上等你决定",
    waitsForQuit: "退出时安装",
    problemsBefore: "已改用其他方式：",
    plan: {
      installed: "已安装",
      patch: (size) => `补丁，${size}`,
      full: (size) => `完整文件，${size}`,
      notNeeded: (size) => `完整文件，${size}，不需要`,
      label(patches, size, full) {
        return patches === 0 ? `计划：完整文件，${size}` : `计划：${patches} 个补丁，共 ${size}，完整文件为 ${full}`;
      },
    },
    appReady: (version) => `Moult ${version} 已就绪`,
    appReadyMore: "重启约需一秒。桌面、笔记和计时都会原样回来。",
    appOnQuit: "退出时安装。桌面、笔记和计时都会原样回来。",
    appNextStart: "下次启动时就是新版本。桌面、笔记和计时都会原样回来。",
    restartNow: "立即重启",
    whenIQuit: "退出时",
    later: "以后",
    installed: "已安装",
    version: "版本",
    publisher: "发布者",
    channel: "渠道",
    earlier: "旧版本",
    keptVersions: (count) => (count === 0 ? "无" : `保留 ${count} 个`),
    why: "原因",
    whyTitle: (name, version) => `为什么是 ${name} ${version}？`,
    history: "历史",
    noHistory: "还没有发生过什么。",
    details: "详情",
    entry(name, entry) {
      switch (entry.outcome) {
        case "installed":
          return `已安装 ${name} ${entry.to}`;
        case "updated":
          return entry.from ? `${name} ${entry.from} 到 ${entry.to}` : `${name} ${entry.to}`;
        case "rolled_back":
          return entry.from ? `${name} 回到 ${entry.from}` : `${name} ${entry.to} 已撤下`;
        case "failed":
          return `${name} ${entry.to} 未能安装`;
      }
    },
    way(entry) {
      const patches = entry.plan.filter((step) => step.kind === "patch").length;
      const full = entry.plan.some((step) => step.kind === "full");
      const size = format.size(entry.wire_bytes);
      if (full && patches > 0) return `补丁未成，完整文件，${size}`;
      if (full) return `完整文件，${size}`;
      if (patches === 0) return "";
      const words = patches > 1 ? `${patches} 个补丁` : "补丁";
      return `${words}，${size}，完整文件为 ${format.size(entry.full_bytes)}`;
    },
    total: (time) => `共 ${time}`,
    notTriedAgain: (version) => `不会再试 ${version}。`,
  },

  whyLines: {
    banned: "在这里运行失败，不再尝试。",
    onWay: "正在更新。",
    waitsForConsent: "请求的权限超出你的许可，正在等待。",
    current: (channel) => `签名有效，是最新版本，正在这里运行。你跟随${channel}。`,
    earlier: "保留在这里，可以回到它。",
  },
  verdict,

  channels: { stable: "稳定版", beta: "测试版", nightly: "每夜版" },

  set: {
    title: "设置",
    general: "通用",
    channels: "渠道",
    rights: "小组件与权限",
    computer: "这台电脑",
    developer: "开发者",
    developerOn: "正在编写的小组件",
    developerMore: "允许本机上能读取你的文件的工具在这里运行未签名的小组件。Moult 退出后自动关闭。",
    developerNext: "然后在小组件的文件夹里运行：",
    about: "关于",
    appearance: "外观",
    themes: { system: "跟随系统", light: "浅色", dark: "深色", high_contrast: "高对比度" } satisfies Record<
      Theme,
      string
    >,
    mode: "Moult 自身的更新",
    modes: { silent: "静默", prompt: "先问我", on_quit: "退出时", next_start: "下次启动" } satisfies Record<
      Mode,
      string
    >,
    modeMore: {
      silent: "没有人输入时自行重启，约需一秒。",
      prompt: "重启之前先问你。等了一周的更新会在没有人使用时安装。",
      on_quit: "退出时安装。等了一周的更新会在没有人使用时安装。",
      next_start: "下次启动时就是新版本，不论这次如何结束。",
    } satisfies Record<Mode, string>,
    remind: "再次询问",
    remindMore: "你选择“以后”之后。",
    after: (span) => `${span}后`,
    kept: "可退回的版本",
    keptMore: "每个部分各保留这么多，更旧的会删除。",
    interval: "检查更新",
    every: (span) => `每 ${span}`,
    channelsMore: "每个部分跟随的渠道。改动立即尝试。",
    version: "版本",
    only: (version) => `只用 ${version}`,
    forAll: "所有部分",
    forAllMore: "没有单独设置渠道的部分都跟随它。",
    asAll: (channel) => `${channel}，同上`,
    part: "部分",
    now: "现在",
    channel: "渠道",
    next: "下一个",
    currentNext: "最新",
    rightsMore: "每个小组件在这里可以做什么。改动立即生效。",
    rightsNone: "没有小组件请求权限。",
    uses: "使用记录",
    usesNone: "Moult 启动以来没有使用。",
    usedBy: (byLogic) => (byLogic ? "后台逻辑" : "页面"),
    usedTimes: (count) => `${count} 次`,
    needsNothing: "不需要权限",
    allowed: "允许",
    refused: "不允许",
    failed: "允许，但失败了",
    computerMore: "这台电脑对仓库的认定，从不后退。",
    believes: "这台电脑的认定",
    beliefs: { place: "安装位置" },
    report: "报告",
    reportMore: "版本、历史和设置，存为这台电脑上的一个文件。不会发送。",
    saveReport: "保存报告…",
    reportSaved: "报告已保存。",
    reportSavedAt: (path) => `报告已保存到 ${path}。`,
    aboutMore: "一个边用边更新的小组件桌面。",
    builtFor: "平台",
    shell: "界面",
    licences: "字体 Inter 依 SIL Open Font License 1.1 使用，Lucide 图标依 ISC 使用。",
  },

  say: {
    updated: (name, version) => `“${name}”已更新到 ${version}，没有关闭任何内容。`,
    back: (name, version) => `“${name}”已回到 ${version}。`,
  },
};
