// All that the shell knows while it runs: the native picture, the frames, and what the user looked at or put away.
// Runes, no page and no port: the host is given to it, time is told to it.

import type {
  HistoryEntry,
  Mode,
  NotTried,
  Overview,
  Problem,
  Settings,
  ShellCommand,
  Size,
  Subject,
  Theme,
} from "../host/bindings";
import type { Host, Kept, View } from "../host/host";
import type { FramePhase, FrameTheme, ShellNews, SwapStep } from "../protocol";
import * as grid from "./grid";
import {
  APP,
  SHELL,
  idOf,
  isReadyApp,
  isUnderWay,
  markOf,
  newsOf,
  seamOf,
  statusOf,
  stripOf,
  subjectOf,
} from "./parts";
import { Toasts } from "./toasts.svelte";

/** A frame as the board shows it. */
interface FrameFact {
  phase: FramePhase;
  version: string;
}

export class Session {
  overview: Overview | null = $state.raw(null);
  theme: FrameTheme = $state("light");
  reducedMotion = $state(false);
  locale = $state("en");
  /** The shell's own version. */
  version = $state("");
  /** The time by the computer's clock, in milliseconds; told every few seconds. */
  now = $state(0);
  view: View = $state("board");
  section = $state("general");
  why: Subject | null = $state(null);
  /** The history entry that is opened. */
  opened: string | null = $state(null);
  /** The instance whose settings are open beside the board. */
  form: string | null = $state(null);
  checking = $state(false);
  /** Whether "later" was said to the executable that is ready, by version. */
  postponed: string | null = $state(null);
  /** What happened since the last picture, to be told to who listens rather than looks. */
  news: HistoryEntry[] = $state.raw([]);

  #seen: Record<string, string> = $state.raw({});
  #dismissed: string[] = $state.raw([]);
  #frames: Record<string, FrameFact> = $state.raw({});
  #headers: Record<string, { title: string; aside: string }> = $state.raw({});
  #swaps: Record<string, SwapStep> = $state.raw({});
  /** What widgets that are being written threw since their last swap. */
  #threw: Record<string, string> = $state.raw({});
  /** Grants that were sent and not yet shown in a picture. */
  #granting: string[] = $state.raw([]);
  readonly toasts = new Toasts();
  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
  }

  readonly status = $derived(this.overview ? statusOf(this.overview) : null);
  readonly underWay = $derived((this.overview?.activities ?? []).filter((one) => isUnderWay(one) && !isReadyApp(one)));
  readonly readyApp = $derived((this.overview?.activities ?? []).find(isReadyApp) ?? null);
  /** What went wrong with the application or the shell: they have no tile for a strip. */
  readonly notices = $derived(
    [APP, SHELL].flatMap((subject) => {
      const entry = this.#strip(subject);
      return entry ? [entry] : [];
    }),
  );
  /** The newer version that the launcher could not try. An application older than this shell never tells. */
  readonly notTried = $derived.by(() => {
    const found = this.overview?.not_tried ?? null;
    return found && !this.#dismissed.includes(idOf(found)) ? found : null;
  });
  /** The application's or the shell's own fresh version, whichever came last. */
  readonly barMark = $derived.by(() => {
    const parts = (this.overview?.installed ?? []).filter(({ subject }) => subject === APP || subject === SHELL);
    const marked = parts.flatMap((part) => {
      const mark = markOf(part, this.now, this.#seen);
      return mark ? [{ part, mark }] : [];
    });
    return marked.sort((a, b) => (b.part.updated_at ?? "").localeCompare(a.part.updated_at ?? ""))[0] ?? null;
  });
  /** The tiles of the board with all that is known of them. */
  readonly tiles = $derived(
    (this.overview?.board.tiles ?? []).map((tile) => {
      const subject = subjectOf(tile.widget);
      const part = this.overview?.installed.find((one) => one.subject === subject);
      const activity = this.overview?.activities.find((one) => one.subject === subject && isUnderWay(one));
      const held = this.overview?.held?.find(({ instance }) => instance === tile.instance) ?? null;
      // Who is kept off has no say in what it is called.
      const header = held ? undefined : this.#headers[tile.instance];
      const frame = this.#frames[tile.instance];
      const need = this.overview?.needs.find((one) => one.widget === tile.widget);
      // A tile that is held on a version has no part in what happens to the others.
      const pinned = tile.pinned ?? null;
      return {
        tile,
        subject,
        part,
        /** What it shows, which may be another version than what is installed for the others. */
        version: frame?.version ?? part?.version ?? null,
        activity: pinned ? undefined : activity,
        name: header?.title || (part?.name ?? tile.widget),
        aside: header?.aside ?? "",
        phase: frame?.phase ?? ("loading" as FramePhase),
        swap: this.#swaps[tile.instance] ?? null,
        seam: pinned ? null : seamOf(activity),
        mark: pinned ? null : markOf(part, this.now, this.#seen),
        strip: pinned ? null : this.#strip(subject),
        shadow: pinned ? null : (this.overview?.shadow_runs?.find((one) => one.subject === subject) ?? null),
        logic: this.overview?.logic?.find((one) => one.instance === tile.instance) ?? null,
        held,
        pinned,
        written: this.overview?.developer?.tiles[tile.instance] !== undefined,
        trouble: this.overview?.developer?.tiles[tile.instance] ?? null,
        threw: this.#threw[tile.instance] ?? null,
        need: need && !pinned && !this.#granting.includes(need.widget) ? need : null,
      };
    }),
  );

  hear(news: ShellNews): void {
    switch (news.kind) {
      case "overview": {
        const fresh = newsOf(this.overview, news.overview);
        if (fresh.length > 0) this.news = fresh;
        this.overview = news.overview;
        this.#granting = this.#granting.filter((widget) => news.overview.needs.some((need) => need.widget === widget));
        return;
      }
      case "header":
        this.#headers = { ...this.#headers, [news.instance]: { title: news.title, aside: news.aside } };
        return;
      case "frame":
        this.#frames = { ...this.#frames, [news.instance]: { phase: news.phase, version: news.version } };
        return;
      case "swap":
        if (news.instance === null) return;
        this.#swaps = { ...this.#swaps, [news.instance]: news.step };
        if (news.step === "switching") this.forgive(news.instance);
        return;
      case "threw":
        this.#threw = { ...this.#threw, [news.instance]: news.detail };
        return;
      case "chord":
        if (news.key === "Escape") this.escape();
    }
  }

  /** What a widget threw is of no interest any more. */
  forgive(instance: string): void {
    const { [instance]: _, ...rest } = this.#threw;
    this.#threw = rest;
  }

  kept(): Kept {
    return {
      view: this.view,
      section: this.section,
      why: this.why,
      seen: { ...this.#seen },
      dismissed: [...this.#dismissed],
    };
  }

  restore(kept: Kept): void {
    this.view = kept.view;
    this.section = kept.section;
    this.why = kept.why;
    this.#seen = kept.seen;
    this.#dismissed = kept.dismissed;
  }

  /** Opens a view; a second time leads back to the board. */
  toggle(view: View): void {
    this.view = this.view === view ? "board" : view;
    this.form = null;
  }

  escape(): void {
    if (this.form !== null) this.form = null;
    else this.view = "board";
  }

  openForm(instance: string): void {
    this.form = instance;
  }

  closeForm(): void {
    this.form = null;
  }

  /** Shows why a part stands where it stands. */
  explain(subject: Subject): void {
    this.why = this.why === subject ? null : subject;
  }

  /** Shows what happened, in full. */
  open(entry: HistoryEntry): void {
    this.view = "updates";
    this.form = null;
    this.opened = entry.id;
  }

  /** The mark was looked at and goes. */
  see(subject: Subject): void {
    const part = this.overview?.installed.find((one) => one.subject === subject);
    if (part) this.#seen = { ...this.#seen, [subject]: part.version };
  }

  dismiss(entry: HistoryEntry): void {
    this.#dismissed = [...this.#dismissed, entry.id].slice(-100);
  }

  dismissNotTried(notTried: NotTried): void {
    this.#dismissed = [...this.#dismissed, idOf(notTried)].slice(-100);
  }

  async checkNow(): Promise<void> {
    this.checking = true;
    await this.send({ kind: "check_now" });
    this.checking = false;
  }

  goBack(subject: Subject, version: string): Promise<unknown> {
    return this.send({ kind: "go_back", subject, version });
  }

  /** Holds a tile on a version, or (`null`) lets it follow the updates again. */
  pin(instance: string, version: string | null): Promise<unknown> {
    return this.send({ kind: "pin", instance, version });
  }

  async decide(widget: string, capabilities: string[], allowed: boolean): Promise<void> {
    this.#granting = [...this.#granting, widget];
    for (const capability of capabilities) {
      if ((await this.send({ kind: "grant", widget, capability, allowed })) !== undefined) continue;
      this.#granting = this.#granting.filter((one) => one !== widget);
      return;
    }
  }

  setChannel(channel: string): Promise<unknown> {
    return this.#set({ channel });
  }

  /** Has a part follow a channel of its own, or (`null`) the one of all. */
  setChannelOf(subject: Subject, channel: string | null): Promise<unknown> {
    const channels = { ...this.overview?.settings.channels };
    delete channels[subject];
    return this.#set({ channels: channel === null ? channels : { ...channels, [subject]: channel } });
  }

  /** Keeps a part on a version, or (`null`) lets it follow its channel. */
  keepOn(subject: Subject, version: string | null): Promise<unknown> {
    const pins = { ...this.overview?.settings.pins };
    delete pins[subject];
    return this.#set({ pins: version === null ? pins : { ...pins, [subject]: version } });
  }

  setMode(mode: Mode): Promise<unknown> {
    return this.#set({ mode });
  }

  setTheme(theme: Theme): Promise<unknown> {
    return this.#set({ theme });
  }

  setInterval(check_every_seconds: number): Promise<unknown> {
    return this.#set({ check_every_seconds });
  }

  /** After how many hours an update that was put off is asked for again. */
  setReminder(remind_after_hours: number): Promise<unknown> {
    return this.#set({ remind_after_hours });
  }

  /** How many earlier versions of each part are kept. */
  setKept(keep_versions: number): Promise<unknown> {
    return this.#set({ keep_versions });
  }

  add(widget: string, size: Size): Promise<unknown> {
    const board = this.overview?.board ?? { tiles: [] };
    const tile = grid.newTile(board, widget, grid.newInstance(board, widget), size);
    return this.send({ kind: "add_tile", tile });
  }

  resize(instance: string, size: Size): Promise<unknown> {
    return this.#setBoard((board) => grid.resized(board, instance, size));
  }

  /** Keeps what was chosen for a tile: what differs from the defaults. */
  setTile(instance: string, settings: Record<string, unknown>): Promise<unknown> {
    return this.send({ kind: "set_tile_settings", instance, settings });
  }

  /** Brings a widget back that is kept off the board. */
  tryAgain(instance: string): Promise<unknown> {
    return this.send({ kind: "try_again", instance });
  }

  remove(instance: string): Promise<unknown> {
    return this.#setBoard((board) => grid.without(board, instance));
  }

  restoreBoard(board: Overview["board"]): Promise<unknown> {
    return this.send({ kind: "set_board", board });
  }

  /** Sends a command. A refusal is said in a toast; then, and only then, the answer is `undefined`. */
  async send(command: ShellCommand): Promise<unknown> {
    try {
      return (await this.#host.command(command)) ?? null;
    } catch (thrown) {
      this.toasts.problem(problemIn(thrown));
      return undefined;
    }
  }

  async #set(change: Partial<Settings>): Promise<unknown> {
    const before = this.overview;
    if (!before) return undefined;
    const settings = { ...before.settings, ...change };
    // Shown at once; taken back if it is refused and no newer picture has come.
    const shown = (this.overview = { ...before, settings });
    const reply = await this.send({ kind: "set_settings", settings });
    if (reply === undefined && this.overview === shown) this.overview = before;
    return reply;
  }

  #setBoard(change: (board: Overview["board"]) => Overview["board"]): Promise<unknown> {
    if (!this.overview) return Promise.resolve(undefined);
    return this.send({ kind: "set_board", board: change(this.overview.board) });
  }

  #strip(subject: Subject): HistoryEntry | null {
    return stripOf(this.overview?.history ?? [], subject, this.now, this.#dismissed);
  }
}

function problemIn(thrown: unknown): Problem {
  const problem = typeof thrown === "object" && thrown !== null && "problem" in thrown ? thrown.problem : thrown;
  if (typeof problem === "object" && problem !== null && "happened" in problem) return problem as Problem;
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  return { code: "internal", happened: "Moult could not do that.", kept: "Nothing was changed.", advice: null, detail };
}

export type TileFacts = Session["tiles"][number];
